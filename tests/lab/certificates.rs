//! The certificate of the stack: made anew when it must be, and loaded by the servers that run.

use super::kompira::run;
use super::lab::Lab;
use super::plan;

/// The fingerprints that clients of nginx and RabbitMQ see on each host, in its container's own network.
fn presented(lab: &Lab) -> Vec<String> {
    lab.sh_all(
        "for l in nginx:443 rabbitmq:5671; do\n\
         c=$(docker ps -q --filter label=com.docker.swarm.service.name=ke2_${l%:*})\n\
         nsenter -t $(docker inspect --format '{{.State.Pid}}' $c) -n openssl s_client -connect 127.0.0.1:${l#*:} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256\n\
         done",
    )
}

/// A name is added: the certificate is made anew, and loaded by the running servers, those too that a run did
/// not reach.
pub fn renamed(lab: &Lab) {
    let (before, containers) = (presented(lab), lab.sh_all("docker ps -q | sort"));
    assert!(before.iter().all(|seen| *seen == before[0]), "{before:?}");
    let wider = ["-e", "cert_cn=ke2.example"];
    let planned = run(
        lab,
        &[&wider[..], &["--dry-run", "--output", "json"]].concat(),
    )
    .expect(0);
    let planned = plan::steps(&planned.plan());
    assert_eq!(planned.len(), 1 + 2 * 3, "{planned:#?}");
    let done = run(lab, &[&wider[..], &["--output", "json"]].concat()).expect(0);
    assert_eq!(done.done(), planned);
    let after = presented(lab);
    assert!(after.iter().all(|seen| *seen == after[0]), "{after:?}");
    let changed = before[0].lines().zip(after[0].lines());
    assert!(changed.clone().count() == 2 && changed.clone().all(|(old, new)| old != new));
    assert_eq!(
        lab.sh_all("docker ps -q | sort"),
        containers,
        "none was started again"
    );
    // A run that died after the files were written: here they are put back behind its back.
    let issue = planned
        .iter()
        .find(|step| step.0.starts_with("certificates/issue"));
    assert!(issue.is_some(), "{planned:#?}");
    lab.sh(1, "cp -a /mnt/gluster/ssl /root/ssl");
    run(lab, &[&wider[..], &["--detailed-exitcode"]].concat()).expect(0);
    lab.sh(
        1,
        "cd /root && openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=other -keyout /tmp/other.key -out /tmp/other.crt 2>/dev/null\n\
         cp /tmp/other.crt /mnt/gluster/ssl/server.crt; cp /tmp/other.key /mnt/gluster/ssl/server.key\n\
         docker exec $(docker ps -q --filter label=com.docker.swarm.service.name=ke2_nginx) nginx -s reload; sleep 2\n\
         cp -a /root/ssl/server.crt /root/ssl/server.key /mnt/gluster/ssl/",
    );
    let ended = run(lab, &[&wider[..], &["--output", "json"]].concat()).expect(0);
    let wanted = plan::step("certificates/reload/nginx", 1, "repair");
    assert_eq!(ended.done(), [wanted].into());
    assert_eq!(presented(lab), after);
    // The name that is not asked for any more does no harm.
    run(lab, &["--detailed-exitcode"]).expect(0);
}

/// A certificate that is about to end is made anew by the same authority, and loaded, before it does.
pub fn expiring(lab: &Lab) {
    let here = lab.files.path().join("kompira-ca");
    lab.send(1, &here, "/root/ca");
    let authority = lab.sh(1, "sha256sum </mnt/gluster/ssl/local-ca.crt");
    let before = presented(lab);
    let containers = lab.sh_all("docker ps -q | sort");
    // The same certificate, but for its end.
    lab.sh(
        1,
        "cd /mnt/gluster/ssl && openssl x509 -in server.crt -CA /root/ca/local-ca.crt -CAkey /root/ca/local-ca.key -CAserial /root/ca/serial -CAcreateserial -days 10 -out /root/ending.crt\n\
         cat /root/ending.crt >server.crt; rm -r /root/ca",
    );
    let dry = run(lab, &["--dry-run", "--output", "json"]).expect(0);
    let planned = plan::steps(&dry.plan());
    assert_eq!(planned.len(), 1 + 2 * 3, "{planned:#?}");
    let made = planned
        .iter()
        .filter(|step| step.0.starts_with("certificates/issue"));
    assert_eq!(made.count(), 1, "{planned:#?}");
    let done = run(lab, &["--output", "json"]).expect(0);
    assert_eq!(done.done(), planned);
    let after = presented(lab);
    assert!(after.iter().all(|seen| *seen == after[0]), "{after:?}");
    assert_ne!(after[0], before[0]);
    assert_eq!(
        lab.sh(1, "sha256sum </mnt/gluster/ssl/local-ca.crt"),
        authority
    );
    assert_eq!(
        lab.sh_all("docker ps -q | sort"),
        containers,
        "none was started again"
    );
    lab.sh(
        1,
        "openssl x509 -in /mnt/gluster/ssl/server.crt -noout -checkend $((86400 * 31))",
    );
    run(lab, &["--detailed-exitcode"]).expect(0);
}
