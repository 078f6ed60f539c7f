"""The whole chain of real pairs, from degraded photos to an export, on photos whose truth is known and kept aside."""
