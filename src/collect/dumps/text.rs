//! Lines and numbers of dumps. Bytes, because some dumps hold names in code pages of their own.

/// The lines of a text, without their ends.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let bytes = crate::collect::files::without_mark(bytes);
    bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end)
}

/// A line as text; what is no UTF-8 is shown as such.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}

/// Takes a number of 1 to 8 hexadecimal digits, which must end there.
pub(super) fn take_hex(rest: &mut &[u8]) -> Option<u32> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (number, after) = rest.split_at(digits);
    let number = hex(number)?;
    *rest = after;
    Some(number)
}

/// A number of 1 to 8 hexadecimal digits and nothing else.
pub(super) fn hex(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Takes exactly eight hexadecimal digits.
pub(super) fn take_word(rest: &mut &[u8]) -> Option<u32> {
    let before = *rest;
    let word = take_hex(rest)?;
    (before.len() - rest.len() == 8).then_some(word)
}

/// Passes over these bytes; how many there were.
pub(super) fn skip(rest: &mut &[u8], these: &[u8]) -> usize {
    let count = rest.iter().take_while(|byte| these.contains(byte)).count();
    *rest = &rest[count..];
    count
}

/// Takes a fixed text.
pub(super) fn take(rest: &mut &[u8], text: &[u8]) -> Option<()> {
    *rest = rest.strip_prefix(text)?;
    Some(())
}
