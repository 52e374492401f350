"""The whole project: data, model, serving, monitoring and the gates between its stages."""
