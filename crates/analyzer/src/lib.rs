//! Reads the layers of a container image and accounts for every byte.
