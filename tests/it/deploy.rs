//! The examples for nodes, and `prune --advise-kubelet`: manifests, units and rules are held to what
//! they claim, and every command line in them to what the command knows.

mod command_line;
mod documents;
mod kubelet;
mod kubernetes;
mod kustomize;
mod prometheus;
mod systemd;

use std::path::{Path, PathBuf};

use serde_json::Value;

/// A path in the repository.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

/// A file of the repository.
fn file(name: &str) -> String {
    fs_err::read_to_string(path(name)).unwrap()
}

/// The documents of a file.
fn documents(name: &str) -> Vec<Value> {
    let documents: Vec<Value> = serde_saphyr::from_slice_multiple(file(name).as_bytes()).unwrap();
    assert!(documents.iter().all(Value::is_object), "{name}");
    documents
}

/// The texts of a list.
fn texts(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap()).collect()
}
