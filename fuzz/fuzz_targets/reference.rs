//! Texts that people type and documents hold: what parses is written back as what parses to the
//! same value.

#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use jettison_oci::{Bytes, Digest, Platform, Reference};
use libfuzzer_sys::fuzz_target;

fn round_trip<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(text: &str) -> Option<T> {
    let value: T = text.parse().ok()?;
    let written = value.to_string();
    let again: T = written.parse().unwrap_or_else(|error| panic!("{written:?}: {error:?}"));
    assert_eq!(value, again, "{written:?}");
    Some(value)
}

fuzz_target!(|text: &str| {
    if let Some(reference) = round_trip::<Reference>(text) {
        let familiar: Reference = reference.familiar().parse().expect("familiar names parse");
        assert_eq!(familiar, reference);
    }
    round_trip::<Platform>(text);
    if let Some(digest) = round_trip::<Digest>(text) {
        assert!(digest.as_str().ends_with(digest.hex()));
    }
    // Sizes are written rounded, so the text need not give the same number, and the last tenth of
    // an EiB rounds to more than there is.
    if let Ok(bytes) = text.parse::<Bytes>()
        && bytes.get() < 15 << 60
    {
        let _: Bytes = bytes.to_string().parse().expect("written sizes parse");
    }
});
