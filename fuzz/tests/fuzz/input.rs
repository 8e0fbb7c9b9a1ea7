//! Runs a target, and makes inputs that come further than random bytes do.

use std::{
    panic::RefUnwindSafe,
    time::{Duration, Instant},
};

/// The longest that one input may keep a processor, unoptimised; tried thrice, for
/// where that is not counted, the machine may be busy with other things.
const PATIENCE: Duration = Duration::from_secs(2);
/// The most memory that the process may ever have had, in kB.
const MEMORY: u64 = 1024 * 1024;
/// The longest input.
const LONGEST: usize = 64 * 1024;

/// Runs a target on changed samples, on texts of its words, and on random bytes.
pub fn target(name: &str, samples: &[&[u8]], words: &[&str], test: impl Fn(&[u8]) + RefUnwindSafe) {
    for sample in samples {
        run(&test, sample);
    }
    let seconds = std::env::var("PRESSROOM_FUZZ_SECONDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1.0);
    bolero::check!(name = name)
        .with_test_time(Duration::from_secs_f64(seconds))
        .with_iterations(usize::MAX)
        .with_max_len(256)
        .for_each(|raw: &[u8]| run(&test, &shape(raw, samples, words)));
    let peak = peak_memory();
    assert!(peak < MEMORY, "took {peak} kB of memory");
}

fn run(test: &impl Fn(&[u8]), input: &[u8]) {
    let quickest = (0..3)
        .map(|_| {
            let (start, worked) = (Instant::now(), work());
            test(input);
            match (worked, work()) {
                (Some(before), Some(after)) => after.saturating_sub(before),
                _ => start.elapsed(),
            }
        })
        .find(|took| *took < PATIENCE);
    assert!(
        quickest.is_some(),
        "an input of {} bytes takes more than {PATIENCE:?}",
        input.len()
    );
}

/// How long this thread has had a processor.
fn work() -> Option<Duration> {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = counted.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|value| value.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// The input that the engine's bytes stand for. They are a script rather than the
/// input, so that engines which know nothing of a format still reach its depths, and
/// those that do may go on byte by byte.
fn shape(raw: &[u8], samples: &[&[u8]], words: &[&str]) -> Vec<u8> {
    let Some((&first, script)) = raw.split_first() else {
        return Vec::new();
    };
    let word = |at: u8| words[usize::from(at) % words.len()].as_bytes();
    match first % 8 {
        0 => script.to_vec(),
        1 => script.iter().flat_map(|&at| word(at)).copied().collect(),
        _ => {
            let mut input = samples[usize::from(first / 8) % samples.len()].to_vec();
            let steps = script
                .first()
                .map_or(0, |count| 1 + usize::from(count % 12));
            for step in script.chunks_exact(4).take(steps) {
                let at = usize::from(u16::from_be_bytes([step[1], step[2]])) % (input.len() + 1);
                change(&mut input, step[0], at, step[3], samples, word(step[3]));
                input.truncate(LONGEST);
            }
            input
        }
    }
}

fn change(input: &mut Vec<u8>, kind: u8, at: usize, argument: u8, samples: &[&[u8]], word: &[u8]) {
    let end = (at + usize::from(argument)).min(input.len());
    match kind % 10 {
        0 if at < input.len() => input[at] = argument,
        1 if at < input.len() => input[at] ^= 1 << (argument % 8),
        2 => drop(input.drain(at..end)),
        3 => {
            let again = input[at..end].to_vec();
            drop(input.splice(at..at, again));
        }
        4 => input.truncate(at),
        5 => {
            let other = samples[usize::from(argument) % samples.len()];
            input.truncate(at);
            input.extend(&other[at.min(other.len())..]);
        }
        6 => {
            let many = word.repeat(1 + usize::from(kind) * 4);
            drop(input.splice(at..at, many));
        }
        7 => {
            // A number becomes another.
            let number = input[at..].iter().position(u8::is_ascii_digit);
            if let Some(from) = number.map(|found| at + found) {
                const NUMBERS: [&str; 8] = [
                    "0",
                    "-1",
                    "65535",
                    "2147483648",
                    "4294967295",
                    "9223372036854775807",
                    "18446744073709551615",
                    "99999999999999999999",
                ];
                let len = input[from..]
                    .iter()
                    .take_while(|b| b.is_ascii_digit())
                    .count();
                let other = NUMBERS[usize::from(argument) % NUMBERS.len()];
                drop(input.splice(from..from + len, other.bytes()));
            }
        }
        _ => drop(input.splice(at..at, word.iter().copied())),
    }
}

/// The same bytes in pieces of several sizes, to be read alike.
pub fn cuts(input: &[u8]) -> [Vec<&[u8]>; 3] {
    let (mut ragged, mut rest, mut size) = (Vec::new(), input, 1);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(size.min(rest.len()));
        ragged.push(now);
        (rest, size) = (later, size * 7 % 41);
    }
    // Byte by byte takes long where a reader makes room before each piece.
    let small = if input.len() > 1024 { 61 } else { 1 };
    [vec![input], input.chunks(small).collect(), ragged]
}
