"""What people would notice between two pictures, measured by networks: distances, features, and things that must survive."""
