//! The `cron` option: `a:2:{i:1700000000;a:1:{s:4:"hook";a:1:{s:32:"…";a:3:{…}}}s:7:"version";i:2;}`.

use super::scan::value_length;

/// More events than any site has.
const MAX_EVENTS: usize = 100_000;

/// Three-way: the schedule of `now` without the events that came from `before` to
/// `after`, and with those that went. An event is known by its hook and the mark of its
/// arguments; one that is merely due at another time is the same. Where its recurrence
/// was changed, and is still so, that returns. `None` when one of the three is no schedule
/// of the form `WordPress` writes (version 2).
pub fn merge_cron(before: &[u8], after: &[u8], now: &[u8]) -> Option<Vec<u8>> {
    let (before, after, mut merged) = (read(before)?, read(after)?, read(now)?);
    merged.retain(|event| before.has(event) || !after.has(event));
    for event in &mut merged.0 {
        if let (Some(old), Some(new)) = (before.find(event), after.find(event))
            && new.data == event.data
        {
            event.data = old.data;
        }
    }
    let gone = before.0.iter().filter(|event| !after.has(event));
    let missing: Vec<Event> = gone.filter(|event| !merged.has(event)).copied().collect();
    merged.0.extend(missing);
    Some(merged.render())
}

/// One entry. The parts are serialized values as they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Event<'a> {
    time: i64,
    hook: &'a [u8],
    mark: &'a [u8],
    data: &'a [u8],
}

#[derive(Debug, PartialEq, Eq)]
struct Schedule<'a>(Vec<Event<'a>>);

impl<'a> Schedule<'a> {
    fn find(&self, wanted: &Event) -> Option<&Event<'a>> {
        let mut events = self.0.iter();
        events.find(|event| event.hook == wanted.hook && event.mark == wanted.mark)
    }

    fn has(&self, wanted: &Event) -> bool {
        self.find(wanted).is_some()
    }

    fn retain(&mut self, keep: impl Fn(&Event) -> bool) {
        self.0.retain(|event| keep(event));
    }

    fn render(mut self) -> Vec<u8> {
        // Stable: what is due at once stays in its order.
        self.0.sort_by_key(|event| event.time);
        let times: Vec<&[Event]> = self.0.chunk_by(|a, b| a.time == b.time).collect();
        let mut out = format!("a:{}:{{", times.len() + 1).into_bytes();
        for events in times {
            let mut hooks: Vec<&[u8]> = Vec::new();
            for event in events {
                if !hooks.contains(&event.hook) {
                    hooks.push(event.hook);
                }
            }
            let time = events.first().map_or(0, |event| event.time);
            out.extend_from_slice(format!("i:{time};a:{}:{{", hooks.len()).as_bytes());
            for hook in hooks {
                let of_hook: Vec<&Event> = events.iter().filter(|it| it.hook == hook).collect();
                out.extend_from_slice(hook);
                out.extend_from_slice(format!("a:{}:{{", of_hook.len()).as_bytes());
                for event in of_hook {
                    out.extend_from_slice(event.mark);
                    out.extend_from_slice(event.data);
                }
                out.push(b'}');
            }
            out.push(b'}');
        }
        out.extend_from_slice(b"s:7:\"version\";i:2;}");
        out
    }
}

fn read(stored: &[u8]) -> Option<Schedule<'_>> {
    let mut rest = stored;
    let mut events = Vec::new();
    let mut version = false;
    for _ in 0..array(&mut rest)? {
        let key = part(&mut rest)?;
        if key == b"s:7:\"version\";" {
            version = part(&mut rest)? == b"i:2;";
            continue;
        }
        let time = key.strip_prefix(b"i:")?.strip_suffix(b";")?;
        let time = std::str::from_utf8(time).ok()?.parse().ok()?;
        for _ in 0..array(&mut rest)? {
            let hook = text(&mut rest)?;
            for _ in 0..array(&mut rest)? {
                let mark = text(&mut rest)?;
                let data = part(&mut rest)?;
                if events.len() == MAX_EVENTS || !data.starts_with(b"a:") {
                    return None;
                }
                events.push(Event {
                    time,
                    hook,
                    mark,
                    data,
                });
            }
            close(&mut rest)?;
        }
        close(&mut rest)?;
    }
    close(&mut rest)?;
    (version && rest.is_empty()).then_some(Schedule(events))
}

/// The head of an array: how many entries it has.
fn array(rest: &mut &[u8]) -> Option<usize> {
    let after = rest.strip_prefix(b"a:")?;
    let end = after.iter().take(12).position(|byte| *byte == b':')?;
    let count = std::str::from_utf8(&after[..end]).ok()?.parse().ok()?;
    *rest = after[end..].strip_prefix(b":{")?;
    Some(count)
}

fn close(rest: &mut &[u8]) -> Option<()> {
    *rest = rest.strip_prefix(b"}")?;
    Some(())
}

/// One value, whatever it is.
fn part<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = value_length(rest).ok()?;
    let (part, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(part)
}

/// One string. PHP makes a number of a key that looks like one.
fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    part(rest).filter(|part| part.starts_with(b"s:") || part.starts_with(b"i:"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn schedule(events: &[(i64, &str, &str)]) -> Vec<u8> {
        let parts: Vec<(String, String, String)> = events
            .iter()
            .map(|(_, hook, every)| {
                (
                    format!("s:{}:\"{hook}\";", hook.len()),
                    "s:2:\"m0\";".to_owned(),
                    format!(
                        "a:2:{{s:8:\"schedule\";s:{}:\"{every}\";s:4:\"args\";a:0:{{}}}}",
                        every.len()
                    ),
                )
            })
            .collect();
        let events = events
            .iter()
            .zip(&parts)
            .map(|((time, ..), (hook, mark, data))| Event {
                time: *time,
                hook: hook.as_bytes(),
                mark: mark.as_bytes(),
                data: data.as_bytes(),
            });
        Schedule(events.collect()).render()
    }

    #[test]
    fn what_the_update_scheduled_goes_and_what_it_removed_returns() {
        let before = schedule(&[(10, "stays", "daily"), (20, "old", "daily")]);
        let after = schedule(&[(10, "stays", "hourly"), (30, "new", "daily")]);
        // The first one ran meanwhile, and somebody made another.
        let now = schedule(&[
            (30, "new", "daily"),
            (99, "somebodys", "daily"),
            (110, "stays", "hourly"),
        ]);
        let merged = merge_cron(&before, &after, &now).unwrap();
        let wanted = schedule(&[
            (20, "old", "daily"),
            (99, "somebodys", "daily"),
            (110, "stays", "daily"),
        ]);
        assert_eq!(
            String::from_utf8_lossy(&merged),
            String::from_utf8_lossy(&wanted)
        );
    }

    #[test]
    fn a_real_one_is_written_as_it_was_read() {
        let real = b"a:3:{i:1700000000;a:2:{s:16:\"wp_version_check\";a:1:{s:32:\"40cd750bba9870f18aada2478b24840a\";a:3:{s:8:\"schedule\";s:10:\"twicedaily\";s:4:\"args\";a:0:{}s:8:\"interval\";i:43200;}}s:9:\"wp_delete\";a:1:{s:32:\"40cd750bba9870f18aada2478b24840b\";a:2:{s:8:\"schedule\";b:0;s:4:\"args\";a:1:{i:0;i:7;}}}}i:1700000060;a:1:{s:1:\"x\";a:1:{i:5;a:0:{}}}s:7:\"version\";i:2;}";
        assert_eq!(merge_cron(real, real, real).unwrap(), real);
    }

    #[test]
    fn anything_else_is_nothing() {
        let good = schedule(&[]);
        assert!(merge_cron(&good, &good, &good).is_some());
        for bad in [
            "",
            "a:0:{}",
            "a:1:{s:7:\"version\";i:1;}",
            "a:1:{s:7:\"version\";i:2;}x",
            "a:2:{i:1;i:2;s:7:\"version\";i:2;}",
            "a:99999999999:{",
            "O:1:\"a\":0:{}",
        ] {
            assert_eq!(merge_cron(bad.as_bytes(), &good, &good), None, "{bad}");
            assert_eq!(merge_cron(&good, &good, bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(prop::sample::select(b"a:{}sib\";0129-version".to_vec()), 0..60)) {
            let good = schedule(&[(1, "x", "daily")]);
            let _ = merge_cron(&bytes, &good, &good);
            let _ = merge_cron(&good, &bytes, &bytes);
        }

        #[test]
        fn with_no_update_nothing_changes(events in prop::collection::vec((0_i64..9, "[a-c]", "[a-b]"), 0..6)) {
            let mut events = events;
            events.sort();
            events.dedup_by(|a, b| a.0 == b.0 && a.1 == b.1);
            let events: Vec<(i64, &str, &str)> = events.iter().map(|(t, h, e)| (*t, h.as_str(), e.as_str())).collect();
            let now = schedule(&events);
            let other = schedule(&[(5, "q", "daily")]);
            prop_assert_eq!(merge_cron(&other, &other, &now).unwrap(), now);
        }
    }
}
