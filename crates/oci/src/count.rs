//! Counts in sentences.

use std::fmt::Write as _;

/// `count thing`, with an s where there are several, and commas between thousands.
pub fn counted(count: usize, thing: &str) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    let _ = write!(text, " {thing}{}", if count == 1 { "" } else { "s" });
    text
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn thousands_have_commas_and_several_an_s() {
        assert_eq!(counted(1, "file"), "1 file");
        assert_eq!(counted(0, "file"), "0 files");
        assert_eq!(counted(1_234_567, "path"), "1,234,567 paths");
    }
}
