//! Acts on a stack: the docker client, with the document on its standard input.

use super::Phase;
use crate::plan::{Reload, Request, StackAct};
use crate::probe::shell::{join, quote};

/// The words of the command, as a reviewer reads them.
pub(super) fn show(act: &StackAct) -> String {
    match act {
        StackAct::Deploy { stack, .. } => {
            format!("{} <docker-swarm.yml", join(&deploy_words(stack)))
        }
        StackAct::PruneConfigs { names } => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            format!("docker config rm {}", join(&names))
        }
        StackAct::Remove { stack } => format!("docker stack rm {}", quote(stack)),
        StackAct::RemoveService { name } => format!("docker service rm {}", quote(name)),
        StackAct::ForgetNode { service, node } => format!(
            "rabbitmqctl forget_cluster_node {} in a container of {}",
            quote(node),
            quote(service)
        ),
        StackAct::Reload { service, how } => format!(
            "{} in the container of {}",
            match how {
                Reload::Nginx => "nginx -s reload",
                Reload::Rabbitmq(_) =>
                    "copy the certificates, rabbitmqctl eval 'ssl:clear_pem_cache().'",
            },
            quote(service)
        ),
        StackAct::Pull { image } => format!("docker pull {}", quote(image)),
        StackAct::Load { archive, .. } => format!("docker load <{}", quote(archive)),
        StackAct::MakeKey { path, content } => format!(
            "make {} ({}, 0600, only when it does not exist)",
            quote(path),
            match content.bytes.len() {
                0 => "empty".to_owned(),
                bytes => format!("secret, {bytes} bytes"),
            }
        ),
        StackAct::Certify(request) => certify_line(request),
    }
}

fn certify_line(request: &Request) -> String {
    let names: Vec<&str> = request.names.iter().map(String::as_str).collect();
    let server = format!(
        "make {}.crt and {}.key ({}, {} days, {}) in {}",
        request.server.file,
        request.server.file,
        request.server.key,
        request.server.days,
        names.join(" "),
        quote(&request.folder)
    );
    if request.new_ca {
        format!(
            "make the authority {} ({}, {} days), its key here in {}; {server}",
            request.ca.file,
            request.ca.key,
            request.ca.days,
            quote(&request.ca_folder)
        )
    } else {
        server
    }
}

fn deploy_words(stack: &str) -> [&str; 9] {
    [
        "docker",
        "stack",
        "deploy",
        "-c",
        "-",
        "--with-registry-auth",
        "--resolve-image",
        "changed",
        stack,
    ]
}

pub(super) fn phase(act: &StackAct, late: Option<&str>) -> Phase {
    match act {
        StackAct::Deploy {
            stack,
            folder,
            document,
            files,
            ..
        } => {
            let mut script = format!(
                "umask 077; d={}; mkdir -p -- \"$d\" && cd -- \"$d\" || exit\n",
                quote(folder)
            );
            for (name, text) in files {
                script.push_str(&format!(
                    "printf %s {} >.new && mv -f .new {} || exit\n",
                    quote(text),
                    quote(name)
                ));
            }
            script.push_str(&format!(
                "cat >.new && [ \"$(sha256sum <.new | cut -d' ' -f1)\" = {} ] || {{ echo 'the document arrived incomplete' >&2; exit 74; }}\n\
                 mv -f .new docker-swarm.yml || exit\n\
                 {} <docker-swarm.yml",
                document.sha256(),
                join(&deploy_words(stack))
            ));
            Phase::feed(script, document.bytes.clone(), 300)
        }
        StackAct::PruneConfigs { names } => {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            // One that is used again by now stays: Docker refuses, and the next look tells.
            Phase::run(format!("docker config rm {}", join(&names)), 60)
        }
        StackAct::Remove { stack } => Phase::run(format!("docker stack rm {}", quote(stack)), 120),
        StackAct::RemoveService { name } => {
            Phase::run(format!("docker service rm {}", quote(name)), 60)
        }
        StackAct::ForgetNode { service, node } => Phase::run(
            format!(
                "c=$(docker ps -q --filter {} | head -n 1); [ -n \"$c\" ] || {{ echo 'no container of it runs here' >&2; exit {}; }}\n\
                 docker exec \"$c\" rabbitmqctl forget_cluster_node {}",
                quote(&label(service)),
                super::CHANGED,
                quote(node)
            ),
            120,
        ),
        StackAct::Reload { service, how } => Phase::run(reload(service, how), 120),
        StackAct::Pull { image } => {
            Phase::run(format!("docker pull --quiet {}", quote(image)), 3600)
        }
        StackAct::Load { image, archive } => Phase::FeedFile {
            script: format!(
                "docker load --quiet && docker image inspect --format '{{{{.Id}}}}' {0} || {{ echo 'there is no image {0} in the file' >&2; exit 65; }}",
                quote(image)
            ),
            file: archive.clone(),
            deadline: std::time::Duration::from_secs(1800),
        },
        StackAct::MakeKey { path, content } => Phase::feed(
            format!(
                "f={}; umask 077; set -C\n\
                 cat >\"$f\" || {{ echo \"$f exists already, and is left as it is\" >&2; exit {}; }}\n\
                 sync -- \"$f\"",
                quote(path),
                super::CHANGED
            ),
            content.bytes.clone(),
            30,
        ),
        StackAct::Certify(request) => certify(request, late),
    }
}

fn label(service: &str) -> String {
    format!("label=com.docker.swarm.service.name={service}")
}

fn reload(service: &str, how: &Reload) -> String {
    let inside = match how {
        Reload::Nginx => "nginx -s reload".to_owned(),
        // As the bootstrap does it when the container starts; the server reads the files again when its cache is empty.
        Reload::Rabbitmq(files) => {
            let script = format!(
                "set -e; for n in {}; do install -m 0400 -o rabbitmq -g rabbitmq \"/run/.kompira_ssl/$n\" \"/etc/rabbitmq/ssl/$n\"; done; \
                 rabbitmqctl -q eval 'ssl:clear_pem_cache().' >/dev/null",
                files
                    .iter()
                    .map(|file| quote(file))
                    .collect::<Vec<_>>()
                    .join(" ")
            );
            format!("sh -c {}", quote(&script))
        }
    };
    format!(
        "for c in $(docker ps -q --filter {}); do docker exec \"$c\" {inside} || exit; done",
        quote(&label(service))
    )
}

/// Three lines of base64 on standard input. The key is in place before the certificate that needs it.
fn certify(request: &Request, late: Option<&str>) -> Phase {
    let Some(made) = late else {
        return Phase::run("echo 'no certificate was made' >&2; exit 1", 10);
    };
    let script = format!(
        "umask 077; d={}; cd -- \"$d\" || exit\n\
         trap 'rm -f .ca.new .server.new .key.new' EXIT\n\
         for n in ca server key; do IFS= read -r l || exit; printf %s \"$l\" | base64 -d >.$n.new && [ -s .$n.new ] || exit; done\n\
         chmod 0644 .ca.new .server.new && chmod 0600 .key.new && sync -- .ca.new .server.new .key.new || exit\n\
         mv -f .ca.new {} && mv -f .key.new {} && mv -f .server.new {}",
        quote(&request.folder),
        quote(&format!("{}.crt", request.ca.file)),
        quote(&format!("{}.key", request.server.file)),
        quote(&format!("{}.crt", request.server.file)),
    );
    Phase::feed(script, format!("{made}\n").into_bytes(), 60)
}
