//! Changes to a stack, and to what it needs: images, certificates, the secret key.

use super::Content;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A change to a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StackAct {
    /// Writes the document and its files into a folder of a manager, and gives it to `docker stack deploy`.
    Deploy {
        /// Name of the stack.
        stack: String,
        /// Folder on the manager, which only root may enter.
        folder: String,
        /// The document. Secret: it has passwords.
        document: Content,
        /// The same for people, with the secrets masked.
        shown: String,
        /// The files beside it.
        files: BTreeMap<String, String>,
    },
    /// Removes configs that no service uses any more.
    PruneConfigs {
        /// Their names.
        names: BTreeSet<String>,
    },
    /// Removes the stack: services, networks and configs. Volumes stay.
    Remove {
        /// Its name.
        stack: String,
    },
    /// Removes one service.
    RemoveService {
        /// Its name: `ke2_old`.
        name: String,
    },
    /// Lets RabbitMQ forget a node that is gone for good.
    ForgetNode {
        /// The service of RabbitMQ: `ke2_rabbitmq`.
        service: String,
        /// The node: `rabbit@mq-ke2-server2`.
        node: String,
    },
    /// Lets the containers of a service on this host load the certificates again, without a restart.
    Reload {
        /// The service: `ke2_nginx`.
        service: String,
        /// How that is done.
        how: Reload,
    },
    /// Brings an image from its registry.
    Pull {
        /// `name:tag` or `name@digest`.
        image: String,
    },
    /// Brings an image from a file of the controller.
    Load {
        /// What it must be called.
        image: String,
        /// The file, as `docker save` writes it.
        archive: String,
    },
    /// Makes a file that must not exist yet, from a secret or empty.
    MakeKey {
        /// Absolute path.
        path: String,
        /// Its exact bytes.
        content: Content,
    },
    /// Makes certificates on the controller, and puts all but the authority's key into a folder.
    Certify(Request),
}

/// How a server loads its certificates again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reload {
    /// nginx, by its own signal.
    Nginx,
    /// RabbitMQ, which has copies of these files that only it can read.
    Rabbitmq(Vec<String>),
}

/// Certificates to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Folder on the share.
    pub folder: String,
    /// Folder on this machine that keeps the authority.
    pub ca_folder: String,
    /// Whether the authority is made as well; otherwise it must be there.
    pub new_ca: bool,
    /// The authority.
    pub ca: Subject,
    /// The server.
    pub server: Subject,
    /// The server's alternative names: `DNS:ke2-server1`, `IP:10.20.0.1`.
    pub names: BTreeSet<String>,
}

/// One certificate to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// Name of its files, without `.crt` and `.key`.
    pub file: String,
    /// Attributes of its subject with their values: `CN`, `O` …
    pub subject: Vec<(String, String)>,
    /// How many days it is valid.
    pub days: u32,
    /// `rsa:2048`, `ec:prime256v1` …
    pub key: String,
}
