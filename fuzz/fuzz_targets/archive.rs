//! An archive of unknown bytes: opened as a stream and as a file, all layers read and accounted
//! for. Where both ways work they agree.

#![no_main]

use jettison_analyzer::account::Account;
use jettison_analyzer::source::{Image, OpenOptions, archive};
use jettison_fuzz::{image, repair};
use libfuzzer_sys::fuzz_target;

fn sums(image: jettison_analyzer::Result<Image>) -> Option<Account> {
    image::account_of(image.ok()?).ok()
}

fn check(bytes: &[u8]) {
    let options = OpenOptions::default();
    let streamed = sums(archive::open_stream(bytes, "the stream", None, None, &options));
    let Some(file) = image::file(bytes) else { return };
    let seekable = sums(archive::open_file(file.path(), None, None, &options));
    if let (Some(streamed), Some(seekable)) = (streamed, seekable) {
        let essence = |account: &Account| {
            let sizes = account.sizes;
            (sizes.layers, sizes.files, sizes.live, sizes.wasted, sizes.duplicate)
        };
        assert_eq!(essence(&streamed), essence(&seekable));
        assert_eq!(streamed.payloads, seekable.payloads);
        assert_eq!(streamed.dive, seekable.dive);
    }
}

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    let mut sealed = bytes.to_vec();
    repair::seal(&mut sealed, 1);
    if sealed != bytes {
        check(&sealed);
    }
});
