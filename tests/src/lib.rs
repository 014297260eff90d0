//! The end-to-end tests live in `it/`; this library holds nothing.
