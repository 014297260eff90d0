//! Where the base image ends: proven by annotations, told by the caller, never guessed.

use std::num::NonZeroUsize;
use std::path::Path;

use jettison_analyzer::account::Account;
use jettison_analyzer::account::base::{BASE_DIGEST, BASE_NAME, Base, BaseSource};
use jettison_analyzer::analyze::{BaseArgument, Options, analyze};
use jettison_analyzer::source::OpenOptions;
use jettison_testkit::image::{Image, ImageBuilder, ImageFiles, LayerBuilder, Wrap};

fn layer(name: &str) -> LayerBuilder {
    LayerBuilder::new().file(name, name.repeat(10))
}

/// An image of layers that each hold one file.
fn image(tag: &str, layers: &[&str], annotations: &[(&str, &str)]) -> Image {
    let builder = layers
        .iter()
        .fold(ImageBuilder::new(), |builder, name| builder.layer(layer(name), "RUN make"));
    let annotated =
        annotations.iter().fold(builder, |builder, (key, value)| builder.annotation(key, value));
    annotated.tag(tag).build()
}

fn account(word: &str, base: Option<BaseArgument>) -> jettison_analyzer::Result<Account> {
    let options = Options {
        open: OpenOptions::default(),
        jobs: NonZeroUsize::MIN,
        verify: false,
        base,
        cache: None,
    };
    analyze(word, &mut || Box::new(std::io::empty()), &options)
}

fn word(directory: &Path, tag: &str) -> String {
    format!("oci:{}:{tag}", directory.display())
}

fn base_layers(account: &Account) -> Vec<bool> {
    account.layers.iter().map(|layer| layer.base).collect()
}

#[test]
fn annotations_tell_the_base_where_it_can_be_proven() {
    let base = image("base", &["a", "b"], &[]);
    let digest = base.manifest_digest();
    let named = [(BASE_NAME, "registry.example/base:1"), (BASE_DIGEST, digest.as_str())];
    let child = image("child", &["a", "b", "c"], &named);
    let stranger = image("stranger", &["x", "y"], &named);
    let room = tempfile::tempdir().unwrap();
    ImageFiles::oci_layout([base.clone(), child.clone(), stranger])
        .write_directory(room.path())
        .unwrap();

    let found = account(&word(room.path(), "child"), None).unwrap();
    let proven = Base {
        source: BaseSource::Annotation,
        reference: Some("registry.example/base:1".to_owned()),
        layers: Some(2),
        image_layers: Some(2),
    };
    assert_eq!(found.base, Some(proven.clone()));
    assert_eq!(base_layers(&found), [true, true, false]);
    assert!(found.warnings.is_empty(), "{:?}", found.warnings);

    // What is proven is not overruled, and that is said.
    let found = account(&word(room.path(), "child"), Some(BaseArgument::Count(1))).unwrap();
    assert_eq!(found.base, Some(proven));
    assert!(found.warnings[0].contains("--base is not used"), "{:?}", found.warnings);

    // An image that does not stand on the base it names has no boundary.
    let found = account(&word(room.path(), "stranger"), None).unwrap();
    assert_eq!(found.base.as_ref().unwrap().layers, None);
    assert_eq!(base_layers(&found), [false, false]);
    assert!(found.warnings[0].contains("--base IMAGE"), "{:?}", found.warnings);

    // Where the base is not at hand, its name is kept and the caller may tell the layers.
    let alone = tempfile::tempdir().unwrap();
    ImageFiles::oci_layout([child]).write_directory(alone.path()).unwrap();
    let found = account(&word(alone.path(), "child"), None).unwrap();
    assert_eq!(found.base.as_ref().unwrap().layers, None);
    let image = BaseArgument::Image(word(room.path(), "base"));
    let found = account(&word(alone.path(), "child"), Some(image)).unwrap();
    assert_eq!(found.base.as_ref().unwrap().source, BaseSource::Image);
    assert_eq!(base_layers(&found), [true, true, false]);
}

#[test]
fn the_caller_tells_the_base() {
    let room = tempfile::tempdir().unwrap();
    let path = room.path().join("images.tar");
    let images = [
        image("app:1", &["a", "b", "c"], &[]),
        image("base:1", &["a", "b"], &[]),
        image("base:2", &["a", "z"], &[]),
        image("other:1", &["q"], &[]),
    ];
    ImageFiles::docker_archive(&images).write_archive(&path, Wrap::None).unwrap();
    let word = |tag: &str| format!("docker-archive:{}:{tag}", path.display());
    let with = |tag: &str| account(&word("app:1"), Some(BaseArgument::Image(word(tag)))).unwrap();

    assert_eq!(account(&word("app:1"), None).unwrap().base, None);
    let found = with("base:1");
    assert_eq!(found.base.as_ref().unwrap().source, BaseSource::Image);
    assert_eq!(base_layers(&found), [true, true, false]);
    let found = with("base:2");
    assert_eq!(found.base.as_ref().unwrap().source, BaseSource::CommonPrefix);
    assert_eq!(base_layers(&found), [true, false, false]);
    let found = with("other:1");
    assert_eq!(found.base, None);
    assert!(found.warnings[0].contains("shares no layer"), "{:?}", found.warnings);

    let counted = account(&word("app:1"), Some(BaseArgument::Count(3))).unwrap();
    assert_eq!(base_layers(&counted), [true, true, true]);
    let Err(error) = account(&word("app:1"), Some(BaseArgument::Count(4))) else { panic!() };
    assert!(error.is_usage(), "{error}");
}
