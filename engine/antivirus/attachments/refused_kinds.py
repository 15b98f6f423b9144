"""The kinds of attachments that are refused by default, by ending and by content type.

The endings are those that Outlook ("Blocked attachments in Outlook") and Gmail ("File types
blocked in Gmail") publish, and others that start, install, mount or connect something on a
double click in Windows, macOS or Linux.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Group:
    """Kinds that are refused for one reason, as the page of refused kinds groups them."""

    title: str
    endings: frozenset[str]


def _group(title: str, endings: str) -> Group:
    return Group(title, frozenset(endings.split()))


GROUPS = (
    _group(
        "Programs and parts of programs",
        "app appcontent-ms appimage bgi class cnt com cpl dll drv elf ex ex_ exe fxp"
        " gadget grp hlp hpj lib nsh ocx pif prg scr sys vxd xbap xll",
    ),
    _group(
        "Scripts",
        "applescript asp aspx bas bat cdxml cmd command csh htc hta js jse jsx ksh mjs"
        " msh msh1 msh1xml msh2 msh2xml mshxml pl ps1 ps1xml ps2 ps2xml psc1 psc2 psd1"
        " psdm1 psm1 pssc py pyc pyo pyw pyz pyzw run scpt scptd sct sh tool vb vbe vbp"
        " vbs vsmacros vsw wsb ws wsc wsf wsh zsh bash",
    ),
    _group(
        "Packages that install something",
        "apk apkm apks appinstaller application appx appxbundle cab crx deb diagcab"
        " diagcfg diagpkg flatpakref inf ins ipa isp jar jnlp mpkg msi msix msixbundle"
        " msp mst msu osd pkg ppkg rpm snap xapk xip xpi",
    ),
    _group(
        "Shortcuts and links",
        "appref-ms desktop fileloc inetloc lnk mad maf mag mam maq mar mas mat mau mav"
        " maw mcf rdp scf shb shs url webloc website xnk",
    ),
    _group(
        "Settings, search connectors and consoles",
        "deskthemepack desktopthemepackfile job library-ms mobileconfig mof msc"
        " msrcincident ops plg prefpane prf printerexport reg search-ms"
        " searchconnector-ms settingcontent-ms terminal theme themepack webpnp workflow",
    ),
    _group(
        "Disk images",
        "avhd avhdx daa dmg esd img iso qcow2 smi sparseimage toast udf vdi vhd vhds vhdx"
        " vmdk wim",
    ),
    _group(
        "Archives that open on a double click and are not looked into here",
        "aar ace alz ar arc arj cpgz cpio egg hqx lha lz lz4 lzh lzma lzo pax sit sitx"
        " taz tlz tz tzst uu uue z zoo zpaq zst",
    ),
    _group(
        "Databases and queries that connect to something",
        "ade adp dqy iqy mda mdb mde mdt mdw mdz odc oqy pst rqy slk udl",
    ),
    _group(
        "Help files, web archives and notebooks that carry files",
        "asx chm its mht mhtml one onepkg onetoc2",
    ),
    _group("Certificates and other kinds on published lists", "cer crt der pcd tmp"),
)
REFUSED_ENDINGS = frozenset[str]().union(*(group.endings for group in GROUPS))

# Web pages and drawings that may contain scripts: POSTERN_ATTACHMENTS_ACTIVE decides whether
# they are refused or shown with a warning.
ACTIVE = _group(
    "Web pages and drawings that can hold scripts",
    "htm html shtml svg svgz xht xhtml",
)
ACTIVE_ENDINGS = ACTIVE.endings

# Documents that are archives of pages and drawings, which need no warning there.
DOCUMENT_ENDINGS = _group(
    "Documents",
    "docx docm dotx dotm xlsx xlsm xltx xlsb pptx pptm potx ppsx vsdx odt ods odp odg odf"
    " ott ots otp epub pages numbers key",
).endings

# On macOS a folder with one of these endings is a program, which members' paths reveal.
FOLDER_ENDINGS = frozenset(("app", "mpkg", "pkg", "prefpane", "workflow"))

# Content types, each with the ending of the same kind.
TYPES = {
    "application/hta": "hta",
    "application/internet-shortcut": "url",
    "application/java-archive": "jar",
    "application/java-vm": "class",
    "application/javascript": "js",
    "application/ecmascript": "js",
    "application/msaccess": "mdb",
    "application/msonenote": "one",
    "application/onenote": "one",
    "application/vnd.android.package-archive": "apk",
    "application/vnd.debian.binary-package": "deb",
    "application/vnd.microsoft.portable-executable": "exe",
    "application/vnd.ms-cab-compressed": "cab",
    "application/vnd.ms-htmlhelp": "chm",
    "application/vnd.ms-msi": "msi",
    "application/windows-appcontent+xml": "appcontent-ms",
    "application/windows-library+xml": "library-ms",
    "application/windows-search-connector+xml": "searchconnector-ms",
    "application/winhlp": "hlp",
    "application/x-apple-diskimage": "dmg",
    "application/x-apple-aspen-config": "mobileconfig",
    "application/x-bat": "bat",
    "application/x-cd-image": "iso",
    "application/x-chm": "chm",
    "application/x-csh": "csh",
    "application/x-debian-package": "deb",
    "application/x-desktop": "desktop",
    "application/x-dosexec": "exe",
    "application/x-elf": "elf",
    "application/x-executable": "elf",
    "application/x-internet-signup": "isp",
    "application/x-iso9660-image": "iso",
    "application/x-java-applet": "class",
    "application/x-java-jnlp-file": "jnlp",
    "application/x-javascript": "js",
    "application/x-mach-binary": "elf",
    "application/x-ms-application": "application",
    "application/x-ms-installer": "msi",
    "application/x-ms-shortcut": "lnk",
    "application/x-ms-xbap": "xbap",
    "application/x-msaccess": "mdb",
    "application/x-msdos-program": "exe",
    "application/x-msdownload": "exe",
    "application/x-msi": "msi",
    "application/x-mswinurl": "url",
    "application/x-ole-storage-msi": "msi",
    "application/x-perl": "pl",
    "application/x-powershell": "ps1",
    "application/x-python-code": "pyc",
    "application/x-redhat-package-manager": "rpm",
    "application/x-rpm": "rpm",
    "application/x-sh": "sh",
    "application/x-sharedlib": "elf",
    "application/x-shellscript": "sh",
    "application/x-vhd": "vhd",
    "application/x-vhdx": "vhdx",
    "application/x-windows-gadget": "gadget",
    "application/x-windows-themepack": "themepack",
    "application/x-x509-ca-cert": "crt",
    "message/partial": "message/partial",
    "text/ecmascript": "js",
    "text/javascript": "js",
    "text/scriptlet": "sct",
    "text/vbscript": "vbs",
    "text/x-msdos-batch": "bat",
    "text/x-perl": "pl",
    "text/x-python": "py",
    "text/x-sh": "sh",
    "text/x-shellscript": "sh",
    # Active content
    "application/xhtml+xml": "xhtml",
    "image/svg+xml": "svg",
    "text/html": "html",
}
# A fragment of a message (RFC 2046 §5.2.2): the mail program assembles it, after all scans.
REFUSED_TYPES = frozenset(["message/partial"])
