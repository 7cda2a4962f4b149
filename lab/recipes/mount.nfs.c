/* mount.nfs SERVER:/EXPORT DIRECTORY [-o OPTIONS] : mounts an NFS version 4 export through FUSE.
 *
 * Where the machine's kernel has no NFS client, this stands in for it: mount(8) calls it for the
 * types nfs and nfs4 as it calls nfs-utils' program, and the mount shows up as fuse.nfs. The
 * protocol is libnfs', all requests go one after the other, and the kernel checks permissions by
 * the modes it is told. Of the options only `ro` and `rw` mean something here; the server is waited
 * for without end, as with `hard`.
 */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <fuse3/fuse_lowlevel.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <nfsc/libnfs.h>

static struct nfs_context *nfs;

static struct nfsfh *opened(struct fuse_file_info *file) { return (struct nfsfh *)(uintptr_t)file->fh; }

/* What is made belongs to the caller. */
static void as_caller(void)
{
	nfs_set_uid(nfs, (int)fuse_get_context()->uid);
	nfs_set_gid(nfs, (int)fuse_get_context()->gid);
}

/* The rest is asked by root: whether the caller may was decided by the kernel. */
static void as_root(void)
{
	nfs_set_uid(nfs, 0);
	nfs_set_gid(nfs, 0);
}

static void *on_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
	(void)connection;
	/* Names and attributes that other hosts change are seen a second later. */
	config->entry_timeout = config->attr_timeout = 1;
	config->negative_timeout = 0;
	config->use_ino = 1;
	return NULL;
}

static int on_getattr(const char *path, struct stat *to, struct fuse_file_info *file)
{
	struct nfs_stat_64 from;
	as_root();
	int error = file ? nfs_fstat64(nfs, opened(file), &from) : nfs_lstat64(nfs, path, &from);
	if (error)
		return error;
	*to = (struct stat){
	    .st_ino = from.nfs_ino, .st_mode = (mode_t)from.nfs_mode, .st_nlink = from.nfs_nlink,
	    .st_uid = (uid_t)from.nfs_uid, .st_gid = (gid_t)from.nfs_gid, .st_size = (off_t)from.nfs_size,
	    .st_blksize = 4096, .st_blocks = (blkcnt_t)((from.nfs_used + 511) / 512),
	    .st_atim = {(time_t)from.nfs_atime, (long)from.nfs_atime_nsec},
	    .st_mtim = {(time_t)from.nfs_mtime, (long)from.nfs_mtime_nsec},
	    .st_ctim = {(time_t)from.nfs_ctime, (long)from.nfs_ctime_nsec}};
	return 0;
}

static int on_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
                      struct fuse_file_info *file, enum fuse_readdir_flags flags)
{
	(void)offset, (void)file, (void)flags;
	struct nfsdir *directory;
	as_root();
	int error = nfs_opendir(nfs, path, &directory);
	if (error)
		return error;
	for (struct nfsdirent *entry; (entry = nfs_readdir(nfs, directory));) {
		struct stat hint = {.st_ino = entry->inode, .st_mode = entry->mode};
		fill(buffer, entry->name, &hint, 0, 0);
	}
	nfs_closedir(nfs, directory);
	return 0;
}

static int on_create(const char *path, mode_t mode, struct fuse_file_info *file)
{
	struct nfsfh *handle;
	as_caller();
	int error = nfs_open2(nfs, path, file->flags | O_CREAT, (int)mode, &handle);
	if (error)
		return error;
	file->fh = (uintptr_t)handle;
	/* libnfs makes it with 0600 or so. */
	as_root();
	return nfs_chmod(nfs, path, (int)(mode & 07777));
}

static int on_open(const char *path, struct fuse_file_info *file)
{
	struct nfsfh *handle;
	as_root();
	/* The kernel has seen to O_APPEND: each write comes with its place. */
	int error = nfs_open(nfs, path, file->flags & ~(O_APPEND | O_CREAT | O_EXCL), &handle);
	if (!error)
		file->fh = (uintptr_t)handle;
	return error;
}

static int on_read(const char *path, char *buffer, size_t size, off_t offset, struct fuse_file_info *file)
{
	(void)path;
	size_t done = 0;
	while (done < size) {
		int count = nfs_pread(nfs, opened(file), (uint64_t)offset + done, size - done, buffer + done);
		if (count < 0)
			return count;
		if (count == 0)
			break;
		done += (size_t)count;
	}
	return (int)done;
}

static int on_write(const char *path, const char *buffer, size_t size, off_t offset, struct fuse_file_info *file)
{
	(void)path;
	size_t done = 0;
	while (done < size) {
		int count = nfs_pwrite(nfs, opened(file), (uint64_t)offset + done, size - done, buffer + done);
		if (count < 0)
			return count;
		done += (size_t)count;
	}
	return (int)done;
}

static int on_fsync(const char *path, int data_only, struct fuse_file_info *file)
{
	(void)path, (void)data_only;
	return nfs_fsync(nfs, opened(file));
}

static int on_release(const char *path, struct fuse_file_info *file)
{
	(void)path;
	return nfs_close(nfs, opened(file));
}

static int on_truncate(const char *path, off_t size, struct fuse_file_info *file)
{
	as_root();
	return file ? nfs_ftruncate(nfs, opened(file), (uint64_t)size) : nfs_truncate(nfs, path, (uint64_t)size);
}

static int on_mkdir(const char *path, mode_t mode) { return as_caller(), nfs_mkdir2(nfs, path, (int)mode); }
static int on_symlink(const char *to, const char *path) { return as_caller(), nfs_symlink(nfs, to, path); }
static int on_link(const char *from, const char *path) { return as_root(), nfs_link(nfs, from, path); }
static int on_unlink(const char *path) { return as_root(), nfs_unlink(nfs, path); }
static int on_rmdir(const char *path) { return as_root(), nfs_rmdir(nfs, path); }
static int on_readlink(const char *path, char *to, size_t size) { return as_root(), nfs_readlink(nfs, path, to, (int)size); }

static int on_rename(const char *from, const char *to, unsigned int flags)
{
	return flags ? -EINVAL : (as_root(), nfs_rename(nfs, from, to));
}

static int on_chmod(const char *path, mode_t mode, struct fuse_file_info *file)
{
	(void)file;
	return as_root(), nfs_chmod(nfs, path, (int)(mode & 07777));
}

static int on_chown(const char *path, uid_t owner, gid_t group, struct fuse_file_info *file)
{
	struct stat now;
	int error = on_getattr(path, &now, file);
	if (error)
		return error;
	/* Never looked up: libnfs (5.0.2, version 4) changes the owner of the directory it finds before the last name. */
	char *below;
	if (asprintf(&below, "%s/x", path) < 0)
		return -ENOMEM;
	/* -1 means to leave it; the protocol has no word for that. */
	error = nfs_lchown(nfs, below, (int)(owner == (uid_t)-1 ? now.st_uid : owner),
	                   (int)(group == (gid_t)-1 ? now.st_gid : group));
	free(below);
	return error;
}

static int on_utimens(const char *path, const struct timespec times[2], struct fuse_file_info *file)
{
	struct stat now;
	struct timeval to[2];
	int error = on_getattr(path, &now, file);
	if (error)
		return error;
	for (int i = 0; i < 2; i++) {
		struct timespec time = times[i];
		if (time.tv_nsec == UTIME_OMIT)
			time = i ? now.st_mtim : now.st_atim;
		else if (time.tv_nsec == UTIME_NOW)
			clock_gettime(CLOCK_REALTIME, &time);
		to[i] = (struct timeval){time.tv_sec, time.tv_nsec / 1000};
	}
	return nfs_lutimes(nfs, path, to);
}

static int on_statfs(const char *path, struct statvfs *to)
{
	return as_root(), nfs_statvfs(nfs, path, to);
}

static const struct fuse_operations operations = {
    .init = on_init, .getattr = on_getattr, .readdir = on_readdir, .create = on_create, .open = on_open,
    .read = on_read, .write = on_write, .fsync = on_fsync, .release = on_release, .truncate = on_truncate,
    .mkdir = on_mkdir, .symlink = on_symlink, .link = on_link, .unlink = on_unlink, .rmdir = on_rmdir,
    .readlink = on_readlink, .rename = on_rename, .chmod = on_chmod, .chown = on_chown,
    .utimens = on_utimens, .statfs = on_statfs};

/* A server may forget a client that has opened nothing for the time of a lease, a minute; libnfs would
 * then fail for good. Opening counts even if there is no such file. */
static void stay_known(void)
{
	struct nfsfh *handle;
	as_root();
	if (nfs_open(nfs, "/.no-such-file", O_RDONLY, &handle) == 0)
		nfs_close(nfs, handle);
}

static void serve(struct fuse_session *session)
{
	struct fuse_buf buffer = {0};
	time_t last = time(NULL);
	while (!fuse_session_exited(session)) {
		struct pollfd ready = {.fd = fuse_session_fd(session), .events = POLLIN};
		int count = poll(&ready, 1, 5000);
		if (time(NULL) - last >= 15) {
			stay_known();
			last = time(NULL);
		}
		if (count <= 0)
			continue;
		int size = fuse_session_receive_buf(session, &buffer);
		if (size == -EINTR)
			continue;
		if (size <= 0)
			break;
		fuse_session_process_buf(session, &buffer);
	}
	free(buffer.mem);
}

int main(int count, char **words)
{
	const char *source = NULL, *target = NULL, *mode = "rw";
	for (int i = 1; i < count; i++) {
		if (strcmp(words[i], "-o") == 0 && i + 1 < count) {
			for (char *word = strtok(words[++i], ","); word; word = strtok(NULL, ","))
				if (strcmp(word, "ro") == 0)
					mode = "ro";
		} else if (strcmp(words[i], "-r") == 0) {
			mode = "ro";
		} else if (strcmp(words[i], "-t") == 0 && i + 1 < count) {
			i++;
		} else if (words[i][0] != '-') {
			*(source ? &target : &source) = words[i];
		}
	}
	const char *colon = source ? strstr(source, ":/") : NULL;
	if (!colon || !target) {
		fprintf(stderr, "mount.nfs: usage: mount.nfs SERVER:/EXPORT DIRECTORY [-o OPTIONS]\n");
		return 1;
	}
	char *server = strndup(source, (size_t)(colon - source));
	char options[4096];
	snprintf(options, sizeof options, "%s,fsname=%s,subtype=nfs,allow_other,default_permissions,nosuid,nodev", mode, source);
	nfs = nfs_init_context();
	if (!nfs || !server)
		return 2;
	nfs_set_version(nfs, 4);
	/* libnfs' own name is its process number and the time, which two hosts may have in common. */
	char name[320] = {0};
	unsigned long nonce = 0;
	gethostname(name, 256);
	if (getrandom(&nonce, sizeof nonce, 0) != sizeof nonce)
		return 2;
	snprintf(name + strlen(name), 32, " %lx", nonce);
	nfs4_set_client_name(nfs, name);
	/* libnfs keeps a mask of its own; the kernel has applied the caller's. */
	nfs_umask(nfs, 0);
	as_root();
	if (nfs_mount(nfs, server, colon + 1)) {
		fprintf(stderr, "mount.nfs: %s: %s\n", source, nfs_get_error(nfs));
		return 32;
	}
	nfs_set_autoreconnect(nfs, -1);
	char *fuse_words[] = {"mount.nfs", "-o", options, NULL};
	struct fuse_args arguments = FUSE_ARGS_INIT(3, fuse_words);
	struct fuse *fuse = fuse_new(&arguments, &operations, sizeof operations, NULL);
	if (!fuse || fuse_mount(fuse, target))
		return 32;
	if (fuse_daemonize(0))
		return 2;
	fuse_set_signal_handlers(fuse_get_session(fuse));
	serve(fuse_get_session(fuse));
	fuse_unmount(fuse);
	return 0;
}
