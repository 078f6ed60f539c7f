"""Pictures for people: contact sheets and figures."""
