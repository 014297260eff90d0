//! What is said when something is missing.

use jettison_testkit::require;

#[test]
fn a_missing_program_says_how_to_get_it() {
    let error = require::program("no-such-program", "its-package").unwrap_err().to_string();
    assert!(error.contains("apt-get install --no-install-recommends its-package"), "{error}");
    assert!(require::program("sh", "dash").unwrap().is_absolute());
}
