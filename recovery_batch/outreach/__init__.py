"""Decisions to request bodies, cut into files, with a manifest, in a folder that appears whole or not at all."""
