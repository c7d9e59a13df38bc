// Writes a workbook with SheetJS: node write_sheetjs.js OUT
const XLSX = require("xlsx");

const rows = [["BusinessId", "Action", "URL"]];
for (let n = 1; n < 6; n++) rows.push([1000 + n, "BookingCreate", `https://x.example.com/${n}`]);
const book = XLSX.utils.book_new();
const hooks = XLSX.utils.aoa_to_sheet(rows);
hooks["!cols"] = [{ wch: 12 }, { wch: 20 }, { wch: 50 }];
hooks["!merges"] = [XLSX.utils.decode_range("E1:F2")];
hooks["!autofilter"] = { ref: "A1:C6" };
hooks.D2 = { t: "n", v: 2002, f: "A2*2", z: "0.00" };
hooks["!ref"] = "A1:F6";
hooks.A1.c = [{ a: "me", t: "a note" }];
hooks.C2.l = { Target: "https://x.example.com/1" };
XLSX.utils.book_append_sheet(book, hooks, "Hooks");
XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet([["quiet"]]), "Quiet");
book.Workbook = { Names: [{ Name: "Mine", Ref: "Hooks!$A$1:$C$6" }], Sheets: [{}, { Hidden: 1 }] };
XLSX.writeFile(book, process.argv[2]);
