//! The agent as a process: whom it runs as, what it is given, when it ends.

use crate::site::{
    self, PLUGIN, Site, entry, epoch, is_running, package, process_of, soon, stage, target,
};
use pressroom_carrier::{CancellationToken, Session};
use pressroom_wordpress::component::Staged;
use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read, Write},
    os::unix::fs::MetadataExt,
    path::Path,
    process::{Command, Stdio},
    thread,
};

#[tokio::test]
async fn the_agent_is_the_sites_user_and_has_nothing_of_ours() {
    let site = Site::new();
    let session = site.session().await;
    assert_eq!(session.welcome().uid, site.uid());
    let proc = Path::new("/proc").join(process_of(&session).to_string());
    let status = fs::read_to_string(proc.join("status")).unwrap();
    let field = |name: &str| -> Vec<String> {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap()
            .split_whitespace()
            .map(str::to_owned)
            .collect()
    };
    if let Some(user) = &site.local().run_as {
        assert_eq!(field("Uid:"), vec![user.uid.to_string(); 4]);
        assert_eq!(field("Gid:"), vec![user.gid.to_string(); 4]);
        assert_eq!(field("Groups:"), Vec::<String>::new());
        assert_eq!(field("CapEff:"), ["0000000000000000"]);
    }
    let environment = fs::read_to_string(proc.join("environ")).unwrap();
    let environment: BTreeSet<&str> = environment.split_terminator('\0').collect();
    let home = format!("HOME={}", site.place.home.display());
    assert_eq!(
        environment,
        BTreeSet::from([
            home.as_str(),
            "LANG=C.UTF-8",
            "PATH=/usr/local/bin:/usr/bin:/bin"
        ])
    );
    assert_eq!(fs::read_link(proc.join("cwd")).unwrap(), Path::new("/"));
    let stat = fs::read_to_string(proc.join("stat")).unwrap();
    let group = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .nth(2)
        .unwrap();
    assert_eq!(group, process_of(&session).to_string());
}

#[tokio::test]
async fn what_it_writes_belongs_to_the_site() {
    let site = Site::new();
    let session = site.session().await;
    session.recover(epoch(1)).await.unwrap();
    let first = stage(&session, 1, "1.0").await;
    assert_eq!(first.version, "1.0");
    let live = session
        .swap_component(epoch(1), site::swap(&first, None))
        .await
        .unwrap();
    assert_eq!(live.tree, first.tree);
    assert_eq!(site.plugin(), Some(site::source("1.0")));
    assert_eq!(session.tree_hash(PLUGIN).await.unwrap(), Some(live.tree));
    session.drop_staged(epoch(1), &first.staged).await.unwrap();
    let second = stage(&session, 1, "2.0").await;
    let swap = site::swap(&second, Some(&first));
    session
        .swap_component(epoch(1), swap.clone())
        .await
        .unwrap();
    assert_eq!(site.plugin(), Some(site::source("2.0")));
    let back: Staged = first;
    let live = session.take_back(epoch(1), swap).await.unwrap();
    assert_eq!(live.tree, back.tree);
    assert_eq!(
        session.hash_component(site::target()).await.unwrap(),
        Some(back.tree)
    );
    assert_eq!(site.plugin(), Some(site::source("1.0")));
    for path in [
        ".pressroom",
        PLUGIN,
        "public_html/wp-content/plugins/hello/hello.php",
    ] {
        assert_eq!(
            site.path(path).metadata().unwrap().uid(),
            site.uid(),
            "{path}"
        );
    }
    session.ping().await.unwrap();
}

#[tokio::test]
async fn many_requests_share_a_session() {
    let site = Site::new();
    let session = site.session().await;
    session.recover(epoch(1)).await.unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for number in 0..100 {
        let session = session.clone();
        calls.spawn(async move {
            if number % 20 == 0 {
                stage(&session, 1, "3.0").await;
            } else {
                session.tree_hash(PLUGIN).await.unwrap();
            }
        });
    }
    soon(calls.join_all()).await;
    assert_eq!(site.staging().len(), 5);
}

#[tokio::test]
async fn a_session_that_is_closed_or_dropped_ends_its_agent() {
    let site = Site::new();
    let session = site.session().await;
    let process = process_of(&session);
    let clone = session.clone();
    drop(session);
    clone.ping().await.unwrap();
    soon(clone.close()).await;
    assert!(!Path::new("/proc").join(process.to_string()).exists());
    let process = {
        let session = site.session().await;
        process_of(&session)
    };
    let waiting = tokio::task::spawn_blocking(move || {
        site::wait_until("the agent ends", || !is_running(process));
    });
    waiting.await.unwrap();
}

#[test]
fn an_agent_whose_server_is_killed_ends_and_leaves_no_package() {
    let site = Site::new();
    let mut command = entry(&site.program(), "server_entry").into_iter();
    let mut server = Command::new(command.next().unwrap())
        .args(command)
        .arg("--server")
        .arg(&site.place.home)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let agent = BufReader::new(server.stdout.take().unwrap())
        .lines()
        .find_map(|line| line.unwrap().strip_prefix("AGENT ")?.parse().ok())
        .expect("the server says which its agent is");
    assert!(is_running(agent));
    server.kill().unwrap();
    server.wait().unwrap();
    site::wait_until("the agent ends", || !is_running(agent));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let session = site.session().await;
        let recovery = session.recover(epoch(2)).await.unwrap();
        assert!(recovery.swaps.is_empty());
    });
    assert_eq!(site.staging(), Vec::<std::ffi::OsString>::new());
}

/// Opens a session, begins to send a package, says which process its agent is, and
/// waits to be killed.
#[expect(clippy::print_stdout, reason = "the test that started us reads it")]
pub fn serve_until_killed(home: &Path) {
    let place = site::place(home, &std::env::current_exe().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let session = Session::open(&place, CancellationToken::new())
            .await
            .unwrap();
        session.recover(epoch(1)).await.unwrap();
        let (mut ours, theirs) = tokio::io::duplex(1024);
        let sending = session.stage_component(epoch(1), target(), theirs);
        let begun = async {
            let half = package("1.0");
            tokio::io::AsyncWriteExt::write_all(&mut ours, &half[..half.len() / 2])
                .await
                .unwrap();
            println!("\nAGENT {}", process_of(&session));
            std::io::stdout().flush().unwrap();
            std::future::pending::<()>().await;
        };
        let _ = tokio::join!(sending, begun);
    });
}

#[test]
fn an_agent_reads_its_standard_input_and_nothing_else() {
    // A site's user without a server: no hello, no session.
    let site = Site::new();
    let Some((program, arguments)) = site.local().agent.split_first() else {
        panic!("no agent");
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .arg("--home")
        .arg(&site.place.home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut errors = String::new();
    let stderr = child.stderr.take().unwrap();
    let reading = thread::spawn(move || {
        BufReader::new(stderr).read_to_string(&mut errors).unwrap();
        errors
    });
    assert!(!child.wait().unwrap().success());
    let errors = reading.join().unwrap();
    let expected = if rustix::process::geteuid().is_root() {
        // Nobody dropped its privileges for it.
        "refuses to run as root"
    } else {
        "closed before the preamble"
    };
    assert!(errors.contains(expected), "{errors}");
}
