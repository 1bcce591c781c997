# SPDX-License-Identifier: GPL-3.0-or-later
# How a folder becomes what a kernel can boot with; make-guest reads this.
# shellcheck shell=bash disable=SC2154

# same_times FOLDER: the same input shall give the same bytes. The time is an ordinary one, not zero: make holds the
# first few of an epoch for no times at all.
same_times() {
    find "$1" -exec touch --no-dereference --date=@1000000000 {} +
}

# pack_archive FOLDER FILE: everything below the folder, owned by root, as the kernel takes it.
pack_archive() {
    same_times "$1"
    (cd "$1" && find . -print0 | LC_ALL=C sort -z \
        | cpio --null --create --format=newc --owner=0:0 --reproducible --quiet) >"$2"
}

# pack_initramfs FOLDER FILE: the same, packed.
pack_initramfs() {
    pack_archive "$1" "$work/archive"
    gzip -9n <"$work/archive" >"$2"
    rm "$work/archive"
}

# in_root FOLDER COMMAND...: runs a program of the 32-bit system in the folder, inside it, as its root, without a
# network. Needs no rights beyond user namespaces. What is mounted for it goes away with it.
in_root() {
    local folder=$1 as_root=()
    shift
    [ "$(id -u)" -eq 0 ] || as_root=(--map-root-user)
    # shellcheck disable=SC2016
    unshare "${as_root[@]}" --mount --pid --net --ipc --fork --kill-child -- bash -c '
        set -e
        folder=$1
        shift
        mount --rbind /dev "$folder/dev"
        mount -t proc proc "$folder/proc"
        mount -t tmpfs tmpfs "$folder/tmp"
        exec env --ignore-environment PATH=/usr/bin:/usr/sbin HOME=/root LC_ALL=C TERM=dumb chroot "$folder" "$@"
    ' in_root "$folder" "$@" </dev/null
}

# Some hosts' kernels run no 32-bit programs, some let no user make namespaces.
check_root() {
    local why
    why=$(in_root "$1" true 2>&1) || fail "programs of the 32-bit guest cannot be run on this host (${why##*$'\n'}). \
Its kernel needs 32-bit programs (CONFIG_IA32_EMULATION) and, without root's rights, user namespaces."
}
