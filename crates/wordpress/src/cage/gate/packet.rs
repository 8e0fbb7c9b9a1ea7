//! Packets of the server's protocol, as far as a relay must understand them.

use std::io::{self, Read, Write};

/// Beyond this a statement is refused with its connection.
const LARGEST: usize = 64 * 1024 * 1024;
/// What one packet holds at most; a longer message goes on in the next.
const WHOLE: usize = 0xff_ff_ff;

/// A message: one packet, or several that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Number of its first packet.
    pub first: u8,
    /// Number of its last packet.
    pub last: u8,
    /// Its content.
    pub payload: Vec<u8>,
}

impl Message {
    /// The next message; `None` at the end of input before one.
    pub fn read(from: &mut impl Read) -> io::Result<Option<Self>> {
        let mut message: Option<Self> = None;
        loop {
            let mut header = [0; 4];
            match read_first(from, &mut header)? {
                false if message.is_none() => return Ok(None),
                false => return Err(io::ErrorKind::UnexpectedEof.into()),
                true => {}
            }
            let [a, b, c, number] = header;
            let length = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
            let whole = message.get_or_insert(Self {
                first: number,
                last: number,
                payload: Vec::new(),
            });
            if !whole.payload.is_empty() && number != whole.last.wrapping_add(1) {
                return Err(violation("packets are out of order"));
            }
            whole.last = number;
            let start = whole.payload.len();
            if start + length > LARGEST {
                return Err(violation("a statement is too long"));
            }
            // What is announced may never come.
            let read = from
                .by_ref()
                .take(length as u64)
                .read_to_end(&mut whole.payload)?;
            if read < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if length < WHOLE {
                return Ok(message);
            }
        }
    }

    /// Writes it, in as many packets as it came in.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let mut number = self.first;
        let mut rest = self.payload.as_slice();
        loop {
            let (part, after) = rest.split_at(rest.len().min(WHOLE));
            let length = u32::try_from(part.len()).unwrap_or(0).to_le_bytes();
            to.write_all(&[length[0], length[1], length[2], number])?;
            to.write_all(part)?;
            if part.len() < WHOLE {
                return to.flush();
            }
            number = number.wrapping_add(1);
            rest = after;
        }
    }
}

/// False at the end of input before the first byte.
fn read_first(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    let (head, tail) = buffer.split_at_mut(1);
    loop {
        match from.read(head) {
            Ok(0) => return Ok(false),
            Ok(_) => break,
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
    from.read_exact(tail)?;
    Ok(true)
}

/// What a client does that ours do not.
pub(crate) fn violation(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

const CONNECT_WITH_DB: u32 = 1 << 3;
const COMPRESS: u32 = 1 << 5;
const LOCAL_FILES: u32 = 1 << 7;
const PROTOCOL_41: u32 = 1 << 9;
const TLS: u32 = 1 << 11;
const SECURE_CONNECTION: u32 = 1 << 15;
const MULTI_STATEMENTS: u32 = 1 << 16;
const AUTH_LENENC: u32 = 1 << 21;
const ZSTD: u32 = 1 << 26;
const QUERY_ATTRIBUTES: u32 = 1 << 27;
/// What neither side is told that the other can.
const WITHHELD: u32 = COMPRESS | LOCAL_FILES | TLS | MULTI_STATEMENTS | ZSTD | QUERY_ATTRIBUTES;

/// Character sets in which a byte of a character may look like a quote or backslash, by
/// the numbers of their collations.
const fn is_unsafe_set(collation: u8) -> bool {
    matches!(
        collation,
        1 | 13 | 24 | 28 | 35 | 54..=56 | 60..=62 | 84 | 87 | 88 | 90 | 95 | 96 | 101..=124 | 128..=151 | 159..=183 | 248..=250
    )
}

/// The server's greeting: what it is, and the same greeting without what is withheld.
/// `None` when it refuses in its place.
pub(crate) fn greeting(payload: &[u8]) -> io::Result<Option<(String, Vec<u8>)>> {
    let bad = || violation("the server's greeting is not understood");
    match payload.first() {
        Some(10) => {}
        Some(0xff) => return Ok(None),
        _ => return Err(bad()),
    }
    let end = payload.iter().position(|byte| *byte == 0).ok_or_else(bad)?;
    let version = String::from_utf8_lossy(payload.get(1..end).unwrap_or_default()).into_owned();
    let mut altered = payload.to_vec();
    // Connection id, first half of the challenge, filler.
    let low = end + 1 + 4 + 8 + 1;
    let high = low + 2 + 1 + 2;
    let flags = [low, low + 1, high, high + 1];
    let mut capabilities = [0; 4];
    for (byte, at) in capabilities.iter_mut().zip(flags) {
        *byte = *payload.get(at).ok_or_else(bad)?;
    }
    let capabilities = u32::from_le_bytes(capabilities) & !WITHHELD;
    if capabilities & PROTOCOL_41 == 0 {
        return Err(bad());
    }
    for (byte, at) in capabilities.to_le_bytes().into_iter().zip(flags) {
        if let Some(place) = altered.get_mut(at) {
            *place = byte;
        }
    }
    // The last four of ten reserved bytes are MariaDB's further capabilities.
    let reserved = high + 2 + 1;
    altered
        .get_mut(reserved + 6..reserved + 10)
        .ok_or_else(bad)?
        .fill(0);
    Ok(Some((version, altered)))
}

/// The client's answer to it without what is withheld, and the database it asks for.
pub(crate) fn answer(payload: &[u8]) -> io::Result<(Vec<u8>, Option<String>)> {
    let bad = || violation("the client's answer to the greeting is not understood");
    let (flags, _) = payload.split_first_chunk::<4>().ok_or_else(bad)?;
    let said = u32::from_le_bytes(*flags);
    if said & PROTOCOL_41 == 0 || said & (TLS | COMPRESS | ZSTD) != 0 {
        return Err(bad());
    }
    let capabilities = said & !WITHHELD;
    let set = *payload.get(8).ok_or_else(bad)?;
    if is_unsafe_set(set) {
        return Err(violation(
            "the client speaks a character set that cannot be read safely",
        ));
    }
    let mut altered = payload.to_vec();
    altered
        .get_mut(..4)
        .ok_or_else(bad)?
        .copy_from_slice(&capabilities.to_le_bytes());
    altered.get_mut(28..32).ok_or_else(bad)?.fill(0);
    let mut rest = payload.get(32..).ok_or_else(bad)?;
    until_nul(&mut rest).ok_or_else(bad)?;
    let length = if capabilities & AUTH_LENENC != 0 {
        lenenc(&mut rest).ok_or_else(bad)?
    } else if capabilities & SECURE_CONNECTION != 0 {
        let (length, after) = rest.split_first().ok_or_else(bad)?;
        rest = after;
        usize::from(*length)
    } else {
        rest.iter().position(|byte| *byte == 0).ok_or_else(bad)? + 1
    };
    rest = rest.get(length..).ok_or_else(bad)?;
    let database = if capabilities & CONNECT_WITH_DB != 0 && !rest.is_empty() {
        let name = until_nul(&mut rest).ok_or_else(bad)?;
        Some(String::from_utf8(name.to_vec()).map_err(|_| bad())?)
    } else {
        None
    };
    Ok((altered, database.filter(|name| !name.is_empty())))
}

fn until_nul<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == 0)?;
    let (text, after) = rest.split_at(end);
    *rest = after.get(1..)?;
    Some(text)
}

/// A number in the protocol's own form; the larger forms hold no length of a password.
fn lenenc(rest: &mut &[u8]) -> Option<usize> {
    let (first, after) = rest.split_first()?;
    let (value, after) = match first {
        0..=250 => (usize::from(*first), after),
        0xfc => {
            let (number, after) = after.split_first_chunk::<2>()?;
            (usize::from(u16::from_le_bytes(*number)), after)
        }
        _ => return None,
    };
    *rest = after;
    Some(value)
}

/// A refusal as the server would send it.
pub(crate) fn refusal(number: u8, code: u16, state: &str, message: &str) -> Message {
    let mut payload = vec![0xff];
    payload.extend_from_slice(&code.to_le_bytes());
    payload.push(b'#');
    payload.extend_from_slice(state.as_bytes());
    payload.extend_from_slice(message.as_bytes());
    Message {
        first: number,
        last: number,
        payload,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packets(parts: &[(u8, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (number, part) in parts {
            let length = u32::try_from(part.len()).unwrap().to_le_bytes();
            bytes.extend_from_slice(&[length[0], length[1], length[2], *number]);
            bytes.extend_from_slice(part);
        }
        bytes
    }

    #[test]
    fn a_message_is_read_over_packets_and_written_the_same() {
        let long = vec![b'x'; WHOLE];
        let bytes = packets(&[(0, &long), (1, b"yz")]);
        let message = Message::read(&mut bytes.as_slice()).unwrap().unwrap();
        assert_eq!((message.first, message.last), (0, 1));
        assert_eq!(message.payload.len(), WHOLE + 2);
        let mut again = Vec::new();
        message.write(&mut again).unwrap();
        assert!(again == bytes);
        // One that fills its packet ends with an empty one.
        let bytes = packets(&[(0, &long), (1, b"")]);
        let message = Message::read(&mut bytes.as_slice()).unwrap().unwrap();
        let mut again = Vec::new();
        message.write(&mut again).unwrap();
        assert!(again == bytes);
        let disorder = packets(&[(0, &long), (2, b"yz")]);
        assert!(Message::read(&mut disorder.as_slice()).is_err());
        assert!(Message::read(&mut &bytes[..100]).is_err());
        assert_eq!(Message::read(&mut &b""[..]).unwrap(), None);
    }

    /// A greeting and an answer to it with all that could be said.
    fn samples() -> (Vec<u8>, Vec<u8>) {
        let mut greeting = b"\x0a5.5.5-10.11.6-MariaDB\0\x01\0\0\0abcdefgh\0".to_vec();
        greeting.extend_from_slice(&[0xfe, 0xff, 45, 2, 0, 0xff, 0xff, 21]);
        greeting.extend_from_slice(&[0, 0, 0, 0, 0, 0, 29, 0, 0, 0]);
        greeting.extend_from_slice(b"ijklmnopqrst\0mysql_native_password\0");
        let capabilities =
            PROTOCOL_41 | SECURE_CONNECTION | CONNECT_WITH_DB | MULTI_STATEMENTS | LOCAL_FILES;
        let mut answer = capabilities.to_le_bytes().to_vec();
        answer.extend_from_slice(&[0, 0, 0, 1, 45]);
        answer.extend_from_slice(&[0; 19]);
        answer.extend_from_slice(&[1, 0, 0, 0]);
        answer.extend_from_slice(b"user\0\x03abcshop\0mysql_native_password\0");
        (greeting, answer)
    }

    #[test]
    fn what_hides_statements_is_withheld_from_both() {
        let (hello, reply) = samples();
        let (version, altered) = greeting(&hello).unwrap().unwrap();
        assert_eq!(version, "5.5.5-10.11.6-MariaDB");
        assert_eq!(altered.len(), hello.len());
        let at = version.len() + 2 + 13;
        let low = u16::from_le_bytes([altered[at], altered[at + 1]]);
        assert_eq!(u32::from(low) & WITHHELD, 0);
        assert!(u32::from(low) & PROTOCOL_41 != 0);
        assert_eq!(altered[at + 8..at + 18], [0; 10]);
        let (altered, database) = answer(&reply).unwrap();
        assert_eq!(database.as_deref(), Some("shop"));
        let said = u32::from_le_bytes([altered[0], altered[1], altered[2], altered[3]]);
        assert_eq!(said & WITHHELD, 0);
        assert_eq!(altered[32..], reply[32..]);
        assert_eq!(greeting(b"\xff\x10\x04Too many").unwrap(), None);
    }

    #[test]
    fn what_cannot_be_read_on_is_not_let_in() {
        let (_, reply) = samples();
        for flag in [TLS, COMPRESS, ZSTD] {
            let mut other = reply.clone();
            let said = u32::from_le_bytes([other[0], other[1], other[2], other[3]]) | flag;
            other[..4].copy_from_slice(&said.to_le_bytes());
            assert!(answer(&other).is_err());
        }
        for gbk in [28, 87, 13, 1, 95, 248] {
            let mut other = reply.clone();
            other[8] = gbk;
            assert!(answer(&other).is_err());
        }
        for utf8 in [8, 33, 45, 46, 63, 192, 224, 255] {
            let mut other = reply.clone();
            other[8] = utf8;
            assert!(answer(&other).is_ok(), "{utf8}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes: Vec<u8>, cut in 0_usize..90) {
            let _ = Message::read(&mut bytes.as_slice());
            let _ = greeting(&bytes);
            let _ = answer(&bytes);
            let (hello, reply) = samples();
            let _ = greeting(&hello[..cut.min(hello.len())]);
            let _ = answer(&reply[..cut.min(reply.len())]);
        }
    }
}
