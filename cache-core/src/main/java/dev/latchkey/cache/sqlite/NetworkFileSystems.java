package dev.latchkey.cache.sqlite;

import dev.latchkey.cache.CacheException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;

/** Refuses file systems that lie on another host: they have no memory that processes share, and no reliable locks. */
final class NetworkFileSystems {
    private static final Set<String> NAMES = Set.of(
            "9p",
            "acfs",
            "afp",
            "afpfs",
            "afs",
            "beegfs",
            "ceph",
            "cifs",
            "coda",
            "davfs",
            "gfs2",
            "glusterfs",
            "gpfs",
            "lustre",
            "macfuse_sshfs",
            "ncpfs",
            "ocfs2",
            "orangefs",
            "panfs",
            "prl_fs",
            "vboxsf",
            "vmhgfs",
            "webdav");
    private static final Set<String> BEGINNINGS = Set.of("nfs", "smb", "drvfs");
    private static final Set<String> FUSE = Set.of(
            "sshfs",
            "s3fs",
            "gcsfuse",
            "rclone",
            "glusterfs",
            "ceph",
            "ceph-fuse",
            "davfs2",
            "vmhgfs-fuse",
            "juicefs",
            "mount-s3",
            "goofys",
            "blobfuse",
            "blobfuse2",
            "seaweedfs",
            "moosefs",
            "lizardfs",
            "cvmfs2");

    private NetworkFileSystems() {}

    static void refuse(Path path, String type) {
        if (isOne(type)) {
            throw new CacheException(
                    path + " is on a network file system (" + type + "), where SQLite's log and locks do not"
                            + " work and several hosts would destroy the data; use a local directory, or"
                            + " allowNetworkFileSystem(true) if only this host will ever open it");
        }
    }

    static boolean isOne(String type) {
        String name = type.toLowerCase(Locale.ROOT);
        return NAMES.contains(name)
                || BEGINNINGS.stream().anyMatch(name::startsWith)
                || (name.startsWith("fuse.") && FUSE.contains(name.substring("fuse.".length())));
    }
}
