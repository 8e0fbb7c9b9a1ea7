//! Real processes.

use super::*;
use crate::{Error, Home, Watch, fence};
use pressroom_base::Epoch;
use std::{
    fs,
    io::{self, Write},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

fn home() -> (tempfile::TempDir, Home) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("public_html")).unwrap();
    let home = Home::open(dir.path()).unwrap();
    (dir, home)
}

fn command(argv: &[&str]) -> Command {
    Command {
        root: "public_html".into(),
        argv: argv.iter().map(ToString::to_string).collect(),
        variables: BTreeMap::new(),
        limit_ms: 20_000,
        keep_bytes: 1024 * 1024,
    }
}

fn shell(script: &str) -> Command {
    command(&["sh", "-c", script])
}

/// What was printed, by channel and in order.
#[derive(Default)]
struct Printed {
    records: Records,
    all: Vec<(Channel, Vec<u8>)>,
}

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let all = &mut self.all;
        self.records
            .feed(bytes, |channel, part| match all.last_mut() {
                Some((last, kept)) if *last == channel => kept.extend_from_slice(part),
                _ => all.push((channel, part.to_vec())),
            })
            .map_err(io::Error::other)?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Printed {
    fn of(&self, wanted: Channel) -> Vec<u8> {
        let parts = self.all.iter().filter(|(channel, _)| *channel == wanted);
        parts.flat_map(|(_, bytes)| bytes.clone()).collect()
    }
}

fn ran(home: &Home, command: &Command) -> (CommandEnd, Printed) {
    let mut printed = Printed::default();
    let end = run(home, None, command, &mut printed, &Watch::unbounded()).unwrap();
    assert!(!printed.records.is_partial());
    (end, printed)
}

#[test]
fn ends_are_told_as_they_were() {
    let (_dir, home) = home();
    for (script, code) in [("exit 0", 0), ("exit 3", 3), ("exit 255", 255)] {
        let (end, _) = ran(&home, &shell(script));
        assert_eq!((end.exit_code, end.signal), (Some(code), None), "{script}");
        assert_eq!(end.is_success(), code == 0);
    }
    let (end, _) = ran(&home, &shell("kill -9 $$"));
    assert_eq!((end.exit_code, end.signal), (None, Some(9)));
    let (end, printed) = ran(&home, &command(&["no-such-program-of-ours"]));
    assert_eq!(end.exit_code, Some(127));
    assert_eq!(
        printed.of(Channel::Stderr),
        b"no-such-program-of-ours: command not found\n"
    );
    fs::write(home.path().join("public_html/data"), "not a program").unwrap();
    let (end, _) = ran(&home, &command(&["./data"]));
    assert_eq!(end.exit_code, Some(126));
    // Words stay words.
    let (_, printed) = ran(&home, &command(&["printf", "%s|", "a b", "$HOME", "'", ""]));
    assert_eq!(printed.of(Channel::Stdout), b"a b|$HOME|'||");
}

#[test]
fn it_sees_what_is_documented_and_no_more() {
    let (_dir, home) = home();
    let mut env = command(&["env"]);
    env.variables
        .insert("PRESSROOM_SITE".into(), "wp_2f686f6d6".into());
    let (_, printed) = ran(&home, &env);
    let text = String::from_utf8(printed.of(Channel::Stdout)).unwrap();
    let mut names: Vec<&str> = text
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["HOME", "LANG", "PATH", "PRESSROOM_SITE", "PWD"]);
    let (end, printed) = ran(&home, &shell("pwd; cat; ps -o pgid= -p $$; echo $$"));
    assert!(end.is_success());
    let text = String::from_utf8(printed.of(Channel::Stdout)).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let root = home.path().join("public_html");
    assert_eq!(lines[0], root.to_str().unwrap());
    // Nothing on standard input, and it leads its own group.
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(lines[1], lines[2]);
}

#[test]
fn output_keeps_its_order_and_its_bytes() {
    let (_dir, home) = home();
    let script = "printf 'one\\n'; sleep 0.1; printf 'two\\n' >&2; sleep 0.1; \
                  printf '\\377\\000\\n'";
    let (end, printed) = ran(&home, &shell(script));
    assert_eq!(
        printed.all,
        [
            (Channel::Stdout, b"one\n".to_vec()),
            (Channel::Stderr, b"two\n".to_vec()),
            (Channel::Stdout, b"\xff\0\n".to_vec()),
        ]
    );
    assert_eq!((end.stdout_bytes, end.stderr_bytes), (7, 4));
}

#[test]
fn what_is_over_the_limit_is_counted_and_dropped() {
    let (_dir, home) = home();
    let mut much = shell("head -c 300000000 /dev/zero; echo end >&2; exit 4");
    much.keep_bytes = 100_000;
    let (end, printed) = ran(&home, &much);
    assert_eq!(end.exit_code, Some(4));
    assert_eq!((end.stdout_bytes, end.stderr_bytes), (300_000_000, 4));
    assert_eq!(end.dropped_bytes, 300_000_004 - 100_000);
    assert_eq!(printed.of(Channel::Stdout).len(), 100_000);
}

/// Whether a process of this number still runs; one that is only to be waited for does not.
fn runs(pid: &str) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
}

fn gone(pid: &str) -> bool {
    let until = Instant::now() + Duration::from_secs(5);
    while runs(pid) {
        if Instant::now() > until {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
    true
}

#[test]
fn grandchildren_end_with_it() {
    let (_dir, home) = home();
    // Left behind in the background, holding the pipe.
    let begun = Instant::now();
    let (end, printed) = ran(&home, &shell("sh -c 'sleep 300 & echo $!'; exit 5"));
    assert_eq!(end.exit_code, Some(5));
    assert!(begun.elapsed() < Duration::from_secs(10));
    let pid = String::from_utf8(printed.of(Channel::Stdout)).unwrap();
    assert!(gone(pid.trim()));
}

#[test]
fn the_time_limit_ends_the_whole_group() {
    let (_dir, home) = home();
    // Deaf to the request to end, so it is killed.
    let mut deaf = shell("trap '' TERM; sh -c 'sleep 300' & echo $!; while :; do sleep 1; done");
    deaf.limit_ms = 300;
    let begun = Instant::now();
    let (end, printed) = ran(&home, &deaf);
    assert!(end.timed_out && !end.is_success());
    assert_eq!(end.signal, Some(9));
    assert!(begun.elapsed() < Duration::from_secs(8));
    let pid = String::from_utf8(printed.of(Channel::Stdout)).unwrap();
    assert!(gone(pid.trim()));
    // One that listens may say its last words.
    let mut polite = shell("trap 'echo bye; exit 9' TERM; while :; do sleep 0.05; done");
    polite.limit_ms = 300;
    let (end, printed) = ran(&home, &polite);
    assert!(end.timed_out);
    assert_eq!(end.exit_code, Some(9));
    assert_eq!(printed.of(Channel::Stdout), b"bye\n");
}

#[test]
fn a_caller_who_withdraws_ends_it() {
    let (_dir, home) = home();
    let watch = Watch::unbounded();
    let marker = home.path().join("pid");
    let begun = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            while fs::read_to_string(&marker).map_or(0, |text| text.len()) == 0 {
                thread::sleep(Duration::from_millis(5));
            }
            watch.cancel();
        });
        let slow = shell("echo $$ > ../pid; sleep 300; sleep 300");
        let ended = run(&home, None, &slow, &mut io::sink(), &watch);
        assert!(matches!(ended, Err(Error::Cancelled)), "{ended:?}");
    });
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert!(gone(fs::read_to_string(&marker).unwrap().trim()));
}

/// A reader that takes a while, then is gone.
struct Leaving(Arc<Mutex<usize>>);

impl Write for Leaving {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut left = self.0.lock().unwrap();
        if *left == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        *left -= 1;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_who_leaves_ends_it() {
    let (_dir, home) = home();
    let begun = Instant::now();
    let mut reader = Leaving(Arc::new(Mutex::new(3)));
    let ended = run(
        &home,
        None,
        &command(&["yes"]),
        &mut reader,
        &Watch::unbounded(),
    );
    assert!(matches!(ended, Err(Error::Io { .. })), "{ended:?}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_later_worker_ends_it() {
    let (_dir, home) = home();
    let watch = Watch::unbounded();
    fence::take(&home, Epoch::new(4), &watch).unwrap();
    let begun = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(200));
            fence::take(&home, Epoch::new(5), &Watch::unbounded()).unwrap();
        });
        let slow = command(&["sleep", "300"]);
        let ended = run(&home, Some(Epoch::new(4)), &slow, &mut io::sink(), &watch);
        assert!(matches!(ended, Err(Error::Fenced { .. })), "{ended:?}");
    });
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[test]
fn what_is_no_command_is_refused() {
    let (_dir, home) = home();
    let refused = |command: &Command| {
        run(&home, None, command, &mut io::sink(), &Watch::unbounded()).unwrap_err()
    };
    assert!(matches!(refused(&command(&[])), Error::BadInput(_)));
    assert!(matches!(refused(&command(&[""])), Error::BadInput(_)));
    assert!(matches!(refused(&command(&["a\0b"])), Error::BadInput(_)));
    let long = "x".repeat(MAX_WORDS);
    assert!(matches!(
        refused(&command(&["echo", &long])),
        Error::BadInput(_)
    ));
    let mut elsewhere = command(&["true"]);
    elsewhere.root = "../".into();
    assert!(matches!(refused(&elsewhere), Error::BadPath(_)));
    elsewhere.root = "not/there".into();
    assert!(matches!(refused(&elsewhere), Error::Missing(_)));
    let mut named = command(&["true"]);
    named.variables.insert("a=b".into(), String::new());
    assert!(matches!(refused(&named), Error::BadInput(_)));
}

#[test]
fn records_survive_any_cut_and_nonsense_is_refused() {
    let mut wire = Vec::new();
    {
        let mut out = super::output::Labelled::new(&mut wire, 1_000_000);
        out.pass(Channel::Stdout, b"hello").unwrap();
        out.pass(Channel::Stderr, &vec![7; 70_000]).unwrap();
    }
    for size in [1, 2, 5, 7, 4096] {
        let mut records = Records::default();
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for part in wire.chunks(size) {
            records
                .feed(part, |channel, bytes| match channel {
                    Channel::Stdout => first.extend_from_slice(bytes),
                    Channel::Stderr => second.extend_from_slice(bytes),
                })
                .unwrap();
        }
        assert_eq!((first.as_slice(), second.len()), (&b"hello"[..], 70_000));
        assert!(!records.is_partial());
    }
    for bad in [[3, 0, 0, 0, 1], [1, 0, 0, 0, 0], [1, 0xff, 0, 0, 0]] {
        assert!(Records::default().feed(&bad, |_, _| {}).is_err());
    }
}
