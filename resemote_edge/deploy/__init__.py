"""Deploying: artifacts on their way to a machine; bundles for boards, which install themselves without Python."""
