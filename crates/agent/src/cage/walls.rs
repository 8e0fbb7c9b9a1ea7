//! What the kernel keeps away from this process and all that it starts.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, NetPort, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
};
use pressroom_wordpress::cage::program::{Spec, Task};
use rustix::{
    mount::{MountFlags, MountPropagationFlags},
    net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink},
    process::{getgid, getuid},
    thread::{UnshareFlags, set_no_new_privs},
};
use std::{fs, path::Path};

/// Devices that any program may open for writing.
const DEVICES: [&str; 5] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
];
const LANDLOCK: ABI = ABI::V6;

/// Builds those that are asked for.
pub(super) fn build(spec: &Spec) -> Result<(), String> {
    set_no_new_privs(true).map_err(|why| format!("privileges could not be given up: {why}"))?;
    if spec.walls.namespaces.stands() {
        namespaces(spec)?;
    }
    if spec.walls.files.stands() {
        files(spec)?;
    }
    Ok(())
}

/// A network in which nobody else is, and mounts that nobody else sees.
fn namespaces(spec: &Spec) -> Result<(), String> {
    let (user, group) = (getuid().as_raw(), getgid().as_raw());
    // Not of processes: whoever asked for that can start no thread of its own any more.
    let flags =
        UnshareFlags::NEWUSER | UnshareFlags::NEWNET | UnshareFlags::NEWNS | UnshareFlags::NEWIPC;
    #[expect(
        deprecated,
        reason = "no table of open files is unshared, which is all that is unsafe"
    )]
    rustix::thread::unshare(flags).map_err(|why| format!("no namespaces: {why}"))?;
    let put = |path: &str, text: String| {
        fs::write(path, text).map_err(|why| format!("no namespaces: `{path}`: {why}"))
    };
    put("/proc/self/setgroups", "deny".to_owned())?;
    put("/proc/self/uid_map", format!("{user} {user} 1"))?;
    put("/proc/self/gid_map", format!("{group} {group} 1"))?;
    loopback().map_err(|why| format!("no network of its own: {why}"))?;
    let mounts = |why: rustix::io::Errno| format!("no mounts of its own: {why}");
    rustix::mount::mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )
    .map_err(mounts)?;
    for place in &spec.hidden {
        let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
        rustix::mount::mount("none", place, "tmpfs", flags, Some(c"size=4k,mode=0500"))
            .map_err(mounts)?;
    }
    for (place, instead) in &spec.replaced {
        // A host is asked for its walls before there is anything to be put there.
        if instead.symlink_metadata().is_ok() {
            rustix::mount::mount_bind(instead, place).map_err(mounts)?;
        }
    }
    Ok(())
}

/// Brings up the network's only interface, by one message to the kernel.
fn loopback() -> rustix::io::Result<()> {
    const NEW_LINK: u16 = 16;
    const REQUEST_AND_ANSWER: u16 = 1 | 4;
    const UP: u32 = 1;
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        // Number 0, of routes and interfaces.
        None,
    )?;
    let mut message = Vec::with_capacity(32);
    message.extend_from_slice(&32_u32.to_ne_bytes());
    message.extend_from_slice(&NEW_LINK.to_ne_bytes());
    message.extend_from_slice(&REQUEST_AND_ANSWER.to_ne_bytes());
    message.extend_from_slice(&1_u32.to_ne_bytes());
    message.extend_from_slice(&0_u32.to_ne_bytes());
    // Family, filler, type of hardware; the first interface; its flags, and which of them.
    message.extend_from_slice(&[0; 4]);
    message.extend_from_slice(&1_i32.to_ne_bytes());
    message.extend_from_slice(&UP.to_ne_bytes());
    message.extend_from_slice(&UP.to_ne_bytes());
    let kernel = netlink::SocketAddrNetlink::new(0, 0);
    rustix::net::sendto(&socket, &message, SendFlags::empty(), &kernel)?;
    let mut answer = [0_u8; 256];
    let (length, _) = rustix::net::recv(&socket, &mut answer[..], RecvFlags::empty())?;
    let code = answer
        .get(16..20)
        .filter(|_| length >= 20)
        .and_then(|bytes| bytes.try_into().ok())
        .map_or(-1, i32::from_ne_bytes);
    if code == 0 {
        Ok(())
    } else {
        Err(rustix::io::Errno::from_raw_os_error(-code))
    }
}

/// Files that may be written, and no others; no port but its own.
fn files(spec: &Spec) -> Result<(), String> {
    let failed = |why: &dyn std::fmt::Display| format!("no Landlock: {why}");
    let all = AccessFs::from_all(LANDLOCK);
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(all)
        .map_err(|why| failed(&why))?
        .handle_access(AccessNet::ConnectTcp | AccessNet::BindTcp)
        .map_err(|why| failed(&why))?
        .scope(Scope::AbstractUnixSocket | Scope::Signal)
        .map_err(|why| failed(&why))?
        .create()
        .map_err(|why| failed(&why))?;
    let open = |path: &Path| PathFd::new(path).map_err(|why| failed(&why));
    ruleset = ruleset
        .add_rule(PathBeneath::new(
            open(Path::new("/"))?,
            AccessFs::from_read(LANDLOCK),
        ))
        .map_err(|why| failed(&why))?;
    for path in &spec.writable {
        // A host is asked for its walls before there is a clone.
        if path.symlink_metadata().is_ok() {
            ruleset = ruleset
                .add_rule(PathBeneath::new(open(path)?, all))
                .map_err(|why| failed(&why))?;
        }
    }
    for path in DEVICES.map(Path::new) {
        if let Ok(device) = PathFd::new(path) {
            let access = AccessFs::ReadFile | AccessFs::WriteFile;
            ruleset = ruleset
                .add_rule(PathBeneath::new(device, access))
                .map_err(|why| failed(&why))?;
        }
    }
    if let Task::Serve { port, .. } = &spec.task {
        ruleset = ruleset
            .add_rule(NetPort::new(
                *port,
                AccessNet::ConnectTcp | AccessNet::BindTcp,
            ))
            .map_err(|why| failed(&why))?;
    }
    let status = ruleset.restrict_self().map_err(|why| failed(&why))?;
    if status.ruleset == RulesetStatus::NotEnforced {
        return Err("no Landlock: the kernel does not know it".to_owned());
    }
    Ok(())
}
