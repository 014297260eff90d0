//! Paths of an image, as its Dockerfile names them.

/// A path in a directory, without `.`, `..` and double slashes; `None` where the directory is not
/// known.
pub(super) fn below(directory: Option<&str>, path: &str) -> Option<String> {
    let start = if path.starts_with('/') { "" } else { directory? };
    let mut components: Vec<&str> = Vec::new();
    for component in start.split('/').chain(path.split('/')) {
        match component {
            "" | "." => {}
            ".." => {
                components.pop();
            }
            component => components.push(component),
        }
    }
    Some(format!("/{}", components.join("/")))
}
