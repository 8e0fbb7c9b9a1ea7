//! Whether a tar is whole: in zstd, in gzip, or alone.

use flate2::read::MultiGzDecoder;
use std::io::{self, Read};
use tokio_util::sync::CancellationToken;

/// A tar archive is made of blocks and ends with two empty ones.
const BLOCK: u64 = 512;
const END: usize = 1024;

/// Unpacks everything without keeping it: how many bytes that were. Says what is wrong
/// otherwise. The decoder refuses frames that need more than 128 MiB at a time.
pub(super) fn tar_zst(
    input: impl Read,
    limit: Option<u64>,
    cancel: &CancellationToken,
) -> Result<u64, String> {
    let decoder = zstd::Decoder::new(input).map_err(|error| torn("zstd", &error))?;
    to_the_end(decoder, "zstd", limit, cancel)
}

/// The same of a `tar.gz`, which may be made of several members.
pub(super) fn tar_gz(
    input: impl Read,
    limit: Option<u64>,
    cancel: &CancellationToken,
) -> Result<u64, String> {
    to_the_end(MultiGzDecoder::new(input), "gzip", limit, cancel)
}

/// The same of a tar that is not packed.
pub(super) fn tar(
    input: impl Read,
    limit: Option<u64>,
    cancel: &CancellationToken,
) -> Result<u64, String> {
    to_the_end(input, "tar", limit, cancel)
}

fn torn(what: &str, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        format!("the {what} stream ends in the middle of a frame")
    } else {
        format!("the {what} stream cannot be unpacked: {error}")
    }
}

fn to_the_end(
    mut decoder: impl Read,
    what: &str,
    limit: Option<u64>,
    cancel: &CancellationToken,
) -> Result<u64, String> {
    let mut buffer = vec![0; 256 << 10];
    let mut tail = [1; END];
    let mut total = 0;
    loop {
        if cancel.is_cancelled() {
            return Err("it was not read to its end".to_owned());
        }
        let count = decoder
            .read(&mut buffer)
            .map_err(|error| torn(what, &error))?;
        if count == 0 {
            break;
        }
        total += count as u64;
        if limit.is_some_and(|limit| total > limit) {
            return Err(format!(
                "it unpacks to more than {} bytes",
                limit.unwrap_or(0)
            ));
        }
        let last = &buffer[count.saturating_sub(END)..count];
        tail.copy_within(last.len().., 0);
        tail[END - last.len()..].copy_from_slice(last);
    }
    if total % BLOCK != 0 || tail.iter().any(|byte| *byte != 0) {
        return Err("the tar archive has no end".to_owned());
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tar(blocks: usize) -> Vec<u8> {
        let mut bytes = vec![b'x'; blocks * 512];
        bytes.extend([0; END]);
        bytes
    }

    fn pack(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
        encoder.include_checksum(true).expect("a checksum");
        io::Write::write_all(&mut encoder, bytes).expect("packs");
        encoder.finish().expect("packs")
    }

    fn check(bytes: &[u8]) -> Result<u64, String> {
        tar_zst(bytes, None, &CancellationToken::new())
    }

    /// Gives what it has in small pieces.
    struct Trickle<'a>(&'a [u8], usize);
    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(buffer.len());
            (&mut self.0).take(count as u64).read(buffer)
        }
    }

    #[test]
    fn whole_is_told_from_cut() {
        let packed = pack(&tar(1000));
        assert_eq!(check(&packed), Ok(1000 * 512 + 1024));
        // Frames follow each other when packed on several threads.
        let mut two = pack(&tar(3)[..700]);
        two.extend(pack(&tar(3)[700..]));
        assert_eq!(check(&two), Ok(3 * 512 + 1024));
        for cut in 0..packed.len() {
            assert!(check(&packed[..cut]).is_err(), "cut at {cut}");
        }
        assert!(check(b"").is_err());
        assert!(check(&pack(&tar(1)[..512 + 1023])).is_err());
        assert!(check(&pack(&[b'x'; 2048])).is_err());
        let mut longer = packed.clone();
        longer.push(7);
        assert!(check(&longer).is_err());
    }

    #[test]
    fn gzip_and_a_plain_tar_are_told_from_cut_ones() {
        let none = CancellationToken::new();
        let bytes = tar(40);
        assert_eq!(super::tar(&bytes[..], None, &none), Ok(40 * 512 + 1024));
        assert!(super::tar(&bytes[..bytes.len() - 1], None, &none).is_err());
        assert!(super::tar(&bytes[..512 * 40], None, &none).is_err());
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut writer, &bytes).expect("packs");
        let packed = writer.finish().expect("packs");
        assert_eq!(tar_gz(&packed[..], None, &none), Ok(40 * 512 + 1024));
        for cut in 0..packed.len() {
            assert!(tar_gz(&packed[..cut], None, &none).is_err(), "cut at {cut}");
        }
        assert!(tar_gz(&packed[..], Some(1000), &none).is_err());
    }

    #[test]
    fn a_flipped_bit_in_the_content_is_found() {
        let content: Vec<u8> = (0..40_000_u32)
            .flat_map(|n| (n * n).to_le_bytes())
            .collect();
        let mut plain = content;
        plain.resize(plain.len().next_multiple_of(512), 1);
        plain.extend([0; END]);
        let packed = pack(&plain);
        assert!(check(&packed).is_ok());
        for at in (10..packed.len()).step_by(997) {
            let mut damaged = packed.clone();
            damaged[at] ^= 1;
            assert!(check(&damaged).is_err(), "flipped at {at}");
        }
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        let bomb = pack(&vec![0; 64 << 20]);
        assert!(bomb.len() < 64 << 10);
        let stopped = tar_zst(&bomb[..], Some(1 << 20), &CancellationToken::new());
        assert!(stopped.expect_err("too much").contains("more than"));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(blocks in 0_usize..40, piece in 1_usize..300) {
            let packed = pack(&tar(blocks));
            let read = tar_zst(Trickle(&packed, piece), None, &CancellationToken::new());
            prop_assert_eq!(read, Ok((blocks * 512 + END) as u64));
        }

        #[test]
        fn foreign_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = check(&bytes);
            let mut with_magic = vec![0x28, 0xb5, 0x2f, 0xfd];
            with_magic.extend(bytes);
            let _ = check(&with_magic);
        }
    }
}
