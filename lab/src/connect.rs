//! `lab connect`: a pipe between standard input and output and a TCP port of a host.

use std::fs::File;
use std::io::{self, Read, Write, stdin, stdout};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::thread;

use anyhow::{Context, Result};

use crate::lab::Lab;
use crate::network;

/// Pipes until the host has closed its side. The end of standard input closes only ours.
pub fn connect(lab: &Lab, host: &str, port: u16) -> Result<()> {
    // An address goes as it is: one that no host has must fail as it would on a real network.
    let address: Ipv4Addr = match host.parse() {
        Ok(address) => address,
        Err(_) => lab.host(&lab.record()?, host)?.address().parse()?,
    };
    network::enter(&lab.namespace())?;
    let stream = TcpStream::connect((address, port))
        .with_context(|| format!("cannot connect to {host} ({address}) port {port}"))?;
    stream.set_nodelay(true)?;
    // Plain files: std's own handles buffer.
    let mut input = File::from(stdin().as_fd().try_clone_to_owned()?);
    let mut output = File::from(stdout().as_fd().try_clone_to_owned()?);
    let mut upstream = stream.try_clone()?;
    // Ends with the process: the host's end of the conversation is the end of it.
    thread::spawn(move || {
        let _ = pump(&mut input, &mut upstream);
        let _ = upstream.shutdown(Shutdown::Write);
    });
    pump(&mut &stream, &mut output).with_context(|| format!("the connection to {host} broke"))
}

/// Passes on whatever comes as soon as it comes, until the end. (`io::copy` would splice, and a
/// splice into a socket may keep small pieces back.)
fn pump(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let length = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        match to.write_all(&buffer[..length]) {
            // Nobody wants the rest.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            other => other?,
        }
    }
}
