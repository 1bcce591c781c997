# SPDX-License-Identifier: GPL-3.0-or-later
# How Debian packages come into a guest; make-guest reads this. Needs $work, say and fail.
# shellcheck shell=bash disable=SC2154

# A private apt: its own lists, its own archives, an empty system of architecture i386. Neither the user's
# dpkg architectures nor the system's package lists change, and no rights are needed. The mirror is the one that
# the system's own apt uses.
private_apt() {
    "${1:?}" --quiet --quiet \
        -o APT::Architecture=i386 -o APT::Architectures::=i386 \
        -o Dir::State="$work/apt/state" -o Dir::State::status="$work/apt/status" \
        -o Dir::Cache="$work/apt/cache" \
        "${apt_sources[@]}" \
        -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none -o Acquire::Retries=3 "${@:2}"
}

prepare_private_apt() {
    mkdir -p "$work"/apt/{state/lists/partial,cache/archives/partial} "$work/packages"
    : >"$work/apt/status"
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg options=
    [ ! -f $keyring ] || options="[signed-by=$keyring] "
    # Base-URI is Repo-URI followed by dists/SUITE/.
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(BASE_URI) $(COMPONENT)' 'Created-By: Packages' \
        | while read -r origin repository base component; do
            [ "$origin" = Debian ] || continue
            suite=${base#"${repository}dists/"}
            printf 'deb %s%s %s %s\n' "$options" "$repository" "${suite%/}" "$component"
        done | sort -u >"$work/apt/sources.list"
    if [ -s "$work/apt/sources.list" ]; then
        apt_sources=(-o Dir::Etc::sourcelist="$work/apt/sources.list" -o Dir::Etc::sourceparts=-)
    else
        say "warning: apt has no package lists of Debian yet; using its sources as they are"
        apt_sources=()
    fi
    private_apt apt-get update 2>"$work/apt/complaints" \
        || say "warning: a package list could not be refreshed; going on, as long as the packages themselves arrive"
}

# Why apt failed, in its own last words, then what to do about it.
apt_failed() {
    local why
    why=$(sed -n 's/^E: //p' "$work/apt/complaints" | head -n 1)
    fail "$1${why:+ ($why)}. Check the network and 'apt-get update', then try again."
}

# unpack FILE FOLDER [TAR-OPTIONS...]: a package's files. Links from /lib to /usr/lib stay links.
unpack() {
    dpkg-deb --fsys-tarfile "$1" | tar --extract --keep-directory-symlink --no-same-owner --directory="$2" "${@:3}"
}

note_version() {
    printf 'package %s %s\n' "$(dpkg-deb -f "$1" Package)" "$(dpkg-deb -f "$1" Version)" >>"$work/stamp.packages"
}

# fetch NAME: downloads the package, unpacks it below $work/root and notes its version.
fetch() {
    download "$1"
    mkdir -p "$work/root"
    unpack "$downloaded" "$work/root"
}

# download NAME: leaves the package in $downloaded and notes its version.
download() {
    say "fetching $1"
    (cd "$work/packages" && rm -f ./*.deb && private_apt apt-get download "$1:i386" 2>"$work/apt/complaints") \
        || apt_failed "The package $1:i386 could not be fetched"
    local deb=("$work"/packages/*.deb)
    downloaded=${deb[0]}
    [ -f "$downloaded" ] || fail "apt downloaded no file for the package $1:i386. Check 'apt-get update', then try again."
    note_version "$downloaded"
}

# fetch_with_dependencies FOLDER NAMES...: unpacks the packages and all that they depend on below the folder, as a file
# system of its own with /bin, /sbin and /lib in /usr. The packages' own scripts are not run: what they would set up
# and is needed, the recipe sets up. Documentation and translations are left out.
fetch_with_dependencies() {
    local folder=$1 directory deb
    shift
    say "fetching $* and what they need"
    private_apt apt-get install --yes --no-install-recommends --download-only -o Debug::NoLocking=1 "$@" \
        >"$work/apt/output" 2>"$work/apt/complaints" || apt_failed "The packages $* could not be fetched"
    mkdir -p "$folder"/{usr/{bin,sbin,lib},dev,proc,sys,tmp,run,root,etc,var}
    for directory in bin sbin lib; do
        [ -e "$folder/$directory" ] || ln -s "usr/$directory" "$folder/$directory"
    done
    for deb in "$work"/apt/cache/archives/*.deb; do
        unpack "$deb" "$folder" --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' \
            --exclude='./usr/share/info/*' --exclude='./usr/share/locale/*' --exclude='./usr/share/lintian/*'
        note_version "$deb"
        rm "$deb"
    done
}

# dependency_of NAME PATTERN: the first dependency of a package whose name matches the whole extended expression.
dependency_of() {
    private_apt apt-cache depends "$1:i386" 2>/dev/null | sed -n 's/^ *Depends: *//p' | grep -E -x -m 1 "$2" \
        || fail "The package $1:i386 is not in the package lists. Check the network and 'apt-get update', then try again."
}
