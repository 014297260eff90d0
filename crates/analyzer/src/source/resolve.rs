//! Which source a word means.
