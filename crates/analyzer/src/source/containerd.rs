//! containerd's content store.
