"""What a batch run leaves for others to look at: one HTML page, and a SARIF log. Made from what the run told, decides nothing."""
