//! The schemas in `schemas/` are those of the documents that are printed.

use jettison_analyzer::report::json;

#[test]
fn the_published_schemas_are_up_to_date() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas");
    for (name, schema) in json::schemas() {
        let path = format!("{directory}/{name}");
        let made = json::render(&schema);
        if std::env::var_os("JETTISON_UPDATE_SCHEMAS").is_some() {
            fs_err::write(&path, &made).unwrap();
        }
        let published = fs_err::read(&path).unwrap();
        assert!(
            published == made,
            "{name} has drifted: run this test with JETTISON_UPDATE_SCHEMAS=1 and commit"
        );
    }
}
