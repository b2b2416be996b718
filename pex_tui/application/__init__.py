"""Everything wired together: projects, runs and their hosts."""
