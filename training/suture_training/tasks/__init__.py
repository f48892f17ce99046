"""Tasks: failures with a known mend, made from healthy workspaces, verified, split and kept; what policies are trained and measured on."""
