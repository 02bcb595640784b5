"""GitHub's REST API: `routing` finds the endpoint, the modules beside it are the endpoints by subject."""
