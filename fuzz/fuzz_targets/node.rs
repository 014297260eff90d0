//! What a pruner reads of a node and its cluster: names of images, keep rules, pods, templates,
//! manifests and histories. Whatever it is, it is understood or told, and a name finds at least the
//! image that has it.

#![no_main]

use jettison_pruner::History;
use jettison_pruner::history::file::parse_any;
use jettison_pruner::inventory::{Image, ImageId};
use jettison_pruner::reference::keep::KeepRules;
use jettison_pruner::reference::name::{ImageName, Names};
use jettison_pruner::reference::{pod, static_pod, template};
use libfuzzer_sys::fuzz_target;

fn image(name: &str) -> Image {
    Image { tags: vec![name.to_owned()], ..Image::new(ImageId::new(&"ab".repeat(32))) }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    match kind % 6 {
        0 => {
            let images = [image(&text)];
            let names = Names::of(&images);
            match ImageName::parse(&text) {
                Ok(name) => assert!(names.find(&name).contains(&0), "{text}"),
                Err(because) => assert!(!because.is_empty()),
            }
        }
        1 => {
            if let Ok(rules) = KeepRules::new(&[text.into_owned()], true) {
                for name in ["nginx:1", "registry.example:5000/a/b@sha256:0", "a"] {
                    let _ = rules.matching(&image(name)).count();
                }
            }
        }
        2 | 3 => {
            let Ok(value) = serde_json::from_slice(rest) else { return };
            if let Ok(pod) = pod::of(&value) {
                assert!(pod.mentions.iter().all(|mention| !mention.image.is_empty()));
            }
            for kind in template::Kind::ALL {
                let _ = template::of(kind, &value);
            }
        }
        4 => {
            let _ = static_pod::parse(rest, &mut Vec::new());
        }
        _ => {
            let _: Option<History> = parse_any(rest);
            // Without its checksum nothing gets far: the content by itself.
            let _ = serde_json::from_slice::<History>(rest);
        }
    }
});
