"""The cockpit: one view for the notebook and the web page, and the controller behind it."""
