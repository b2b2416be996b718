"""How each kind of agent is started and listened to."""
