use super::*;

#[test]
fn nothing() {
    assert!(improve(&Dockerfile::parse("FROM a\nRUN make\n").unwrap(), 0).is_empty());
}
