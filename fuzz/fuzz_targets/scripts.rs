//! What scripts, modules and profiles say. No input may panic or loop, and pieces must say what the
//! whole says, and so must a file at hand.

#![no_main]

use jettison_analyzer::facts::profile::Profile;
use jettison_fuzz::content::agrees;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let paths = ["bin/x", "a.py", "a.js", "a.sh", "a.pl", "a.rb", "a.php", "etc/x.conf"];
    for path in paths {
        agrees(path.as_bytes(), bytes);
    }
    let _ = Profile::default().add("the profile", bytes);
});
