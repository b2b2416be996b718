"""Places that no agent may see: the user's secrets, logins, and sockets of other programs."""

SECRETS = (
    # keys and passwords
    *(".ssh", ".gnupg", ".password-store", ".netrc", "_netrc", ".git-credentials", ".pgpass"),
    *(".config/git/credentials", ".my.cnf", ".vault-token", ".config/op", ".config/Bitwarden CLI"),
    *(".local/share/keyrings", ".local/share/kwalletd", ".config/sops", ".config/age", ".age"),
    *(".config/1Password", ".config/keepassxc", ".pki"),
    # clouds and clusters
    *(".aws", ".azure", ".config/gcloud", ".oci", ".config/doctl", ".config/hcloud", ".fly"),
    *(".kube", ".config/helm", ".docker", ".config/containers", ".terraform.d", ".terraformrc"),
    *(".config/rclone", ".s3cfg", ".boto", ".databrickscfg", ".config/heroku"),
    # forges and registries
    *(".config/gh", ".config/hub", ".config/glab-cli", ".npmrc", ".yarnrc.yml", ".pypirc"),
    *(".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials", ".m2/settings.xml"),
    *(".m2/settings-security.xml", ".gradle/gradle.properties", ".composer/auth.json"),
    *(".config/composer/auth.json", ".nuget/NuGet/NuGet.Config", ".config/NuGet"),
    *(".huggingface", ".cache/huggingface/token", ".cache/huggingface/stored_tokens", ".kaggle"),
    # browsers, mail and messengers
    *(".mozilla", ".librewolf", ".config/google-chrome", ".config/chromium", ".config/vivaldi"),
    *(".config/BraveSoftware", ".config/microsoft-edge", ".config/opera", ".thunderbird", "snap"),
    *(".config/Signal", ".config/Slack", ".config/discord", ".local/share/TelegramDesktop"),
    *(".var/app",),
    # what was typed
    *(".bash_history", ".zsh_history", ".local/share/fish/fish_history", ".python_history"),
    *(".psql_history", ".mysql_history", ".node_repl_history"),
)
"""Paths below the home."""

SECRET_VARIABLES = (
    *("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "KUBECONFIG", "DOCKER_CONFIG", "NETRC"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "AZURE_CONFIG_DIR", "GH_CONFIG_DIR"),
    *("NPM_CONFIG_USERCONFIG", "GNUPGHOME", "PASSWORD_STORE_DIR", "PGPASSFILE", "TMUX_TMPDIR"),
    *("CLAUDE_CONFIG_DIR", "CODEX_HOME"),
)
"""Variables that name a secret's path, where it is not the usual one."""

XDG_FOLDERS = {
    ".config/": "XDG_CONFIG_HOME",
    ".local/share/": "XDG_DATA_HOME",
    ".cache/": "XDG_CACHE_HOME",
}
"""Variables that name another folder for what is usually below one of the home's."""

OF_ROOT = ("/etc/shadow", "/etc/gshadow", "/etc/ssl/private", "/etc/sudoers", "/etc/sudoers.d")
"""Secrets of the system, which only root could read."""

LOGINS = (
    *(".claude", ".claude.json", ".config/claude", ".codex", ".gemini", ".config/opencode"),
    *(".local/share/opencode", ".local/state/opencode", ".config/github-copilot", ".copilot"),
    *(".cursor", ".config/cursor", ".config/Cursor", ".aider.conf.yml", ".config/goose", ".qwen"),
    *(".continue", ".config/amp", ".local/share/amp", ".factory", ".codeium", ".config/zed"),
)
"""Configuration and logins of coding agents, below the home."""

SOCKETS = (
    *("/run/docker.sock", "/run/docker", "/run/podman", "/run/containerd", "/run/crio"),
    *("/run/lxd.socket", "/var/lib/lxd/unix.socket", "/var/snap/lxd/common/lxd/unix.socket"),
    *("/run/libvirt", "/run/dbus", "/run/systemd/private", "/run/systemd/notify", "/run/screen"),
    *("/run/snapd.socket", "/run/snapd-snap.socket", "/run/pcscd", "/run/cups"),
)
"""Sockets behind which a program with more rights listens."""

TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108  # each attempt gets a private one in their place
"""Folders that are private to each sandbox."""
