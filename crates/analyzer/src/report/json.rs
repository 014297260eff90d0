//! JSON for machines, and the schemas of its documents.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde::Serialize;

use crate::facts::profile::Document;
use crate::gate::Baseline;
use crate::report::model;

/// A document as indented JSON with a newline at its end.
pub fn render(document: &impl Serialize) -> Vec<u8> {
    // Every document is plain data with string keys, which cannot fail to serialize.
    let mut bytes = serde_json::to_vec_pretty(document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// The schemas of all documents, with the names of their files.
pub fn schemas() -> [(&'static str, Schema); 6] {
    [
        ("analysis.v1.json", schema::<model::Analysis>()),
        ("baseline.v1.json", schema::<Baseline>()),
        ("diff.v1.json", schema::<model::DiffDocument>()),
        ("gate.v1.json", schema::<model::GateDocument>()),
        ("profile.v1.json", schema::<Document>()),
        ("why.v1.json", schema::<model::WhyDocument>()),
    ]
}

/// As documents are written, not as they might be read: what may be null is there all the same.
fn schema<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<T>()
}
