//! JSON for machines, and the schemas of its documents.

use schemars::Schema;
use serde::Serialize;

use crate::report::model;

/// A document as indented JSON with a newline at its end.
pub fn render(document: &impl Serialize) -> Vec<u8> {
    // Every document is plain data with string keys, which cannot fail to serialize.
    let mut bytes = serde_json::to_vec_pretty(document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// The schemas of all documents, with the names of their files.
pub fn schemas() -> [(&'static str, Schema); 3] {
    [
        ("analysis.v1.json", schemars::schema_for!(model::Analysis)),
        ("diff.v1.json", schemars::schema_for!(model::DiffDocument)),
        ("why.v1.json", schemars::schema_for!(model::WhyDocument)),
    ]
}
