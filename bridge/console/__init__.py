"""The console: web pages for the duty officer and the operator, made by the server and usable without JavaScript."""
