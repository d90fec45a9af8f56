"""Kubernetes YAML."""
