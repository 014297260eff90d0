//! OCI layout directories.
