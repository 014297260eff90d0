//! The schemas in `schemas/` are those of the documents that are printed.

use jettison_pruner::kubelet;
use jettison_pruner::report::{explain, model};

#[test]
fn the_published_schemas_are_up_to_date() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas");
    for (name, schema) in [
        ("prune.v1.json", model::schema()),
        ("explain.v1.json", explain::schema()),
        ("kubelet.v1.json", kubelet::report::schema()),
    ] {
        let path = format!("{directory}/{name}");
        let made = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        if std::env::var_os("JETTISON_UPDATE_SCHEMAS").is_some() {
            fs_err::write(&path, &made).unwrap();
        }
        let published = fs_err::read_to_string(&path).unwrap_or_default();
        assert!(
            published == made,
            "{name} has drifted: run this test with JETTISON_UPDATE_SCHEMAS=1 and commit"
        );
    }
}
