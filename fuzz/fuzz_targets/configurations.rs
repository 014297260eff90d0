//! Configurations that say what runs. No input may panic or loop, and none may give more rows than
//! it has bytes.

#![no_main]

use jettison_analyzer::facts::configuration::{
    composer, crontab, document_root, gem, ini, pam, php_ini, service, supervisor, words,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    assert!(ini::rows(bytes).len() <= bytes.len());
    assert!(words(bytes).len() <= bytes.len());
    assert!(composer::packages(bytes).len() <= bytes.len());
    assert!(document_root::read(bytes).len() <= bytes.len());
    assert!(supervisor::read(bytes, b"/etc").commands.len() <= bytes.len());
    assert!(pam::read(bytes).modules.len() <= bytes.len());
    assert!(php_ini::read(bytes).extensions.len() <= bytes.len());
    assert!(service::unit_commands(bytes).len() <= bytes.len());
    assert!(service::inittab_commands(bytes).len() <= bytes.len());
    assert!(gem::Lock::read(bytes).gems.len() <= bytes.len());
    let _ = gem::specification(bytes);
    for table in [crontab::Table::OfUser, crontab::Table::OfSystem, crontab::Table::Anacron] {
        assert!(crontab::commands(bytes, table).len() <= bytes.len());
    }
});
