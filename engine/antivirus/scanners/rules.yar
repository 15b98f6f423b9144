// What the embedded scanner knows. It is a fallback for machines without clamd, not a
// virus scanner: it proves the path that infected mail takes, and catches a few classics.

rule Postern_Test_EICAR
{
    strings:
        // The EICAR anti-malware test file, in hexadecimal so that this file is not one.
        $test = { 58 35 4F 21 50 25 40 41 50 5B 34 5C 50 5A 58 35 34 28 50 5E 29 37 43 43
                  29 37 7D 24 45 49 43 41 52 2D 53 54 41 4E 44 41 52 44 2D 41 4E 54 49 56
                  49 52 55 53 2D 54 45 53 54 2D 46 49 4C 45 21 24 48 2B 48 2A }
    condition:
        $test
}

rule Postern_Windows_Program
{
    condition:
        uint16(0) == 0x5A4D and uint32(uint32(0x3C)) == 0x00004550
}

rule Postern_Linux_Program
{
    condition:
        uint32(0) == 0x464C457F
}

rule Postern_Shortcut
{
    // A Windows shell link ([MS-SHLLINK] 2.1): it starts whatever it names.
    condition:
        uint32(0) == 0x0000004C and uint32(4) == 0x00021401
}

rule Postern_Macro_Runs_By_Itself
{
    strings:
        $start = /\b(Auto_?Open|Document_Open|Workbook_Open|AutoExec)\b/ nocase
        $shell = /\b(WScript\.Shell|powershell|MSXML2\.XMLHTTP|URLDownloadToFile)\b/ nocase
    condition:
        uint32(0) == 0xE011CFD0 and all of them
}

rule Postern_Page_Smuggles_File
{
    strings:
        $page = /<(html|script)/ nocase
        $decode = "atob(" nocase
        $save = /\b(msSaveOrOpenBlob|createObjectURL)\b/
    condition:
        filesize < 20MB and all of them
}
