// Writes a workbook with ExcelJS: node write_exceljs.js OUT
const ExcelJS = require("exceljs");

const book = new ExcelJS.Workbook();
const hooks = book.addWorksheet("Hooks", { views: [{ state: "frozen", ySplit: 1 }] });
hooks.columns = ["BusinessId", "Action", "URL"].map((header) => ({ header, width: 24 }));
for (let n = 1; n < 6; n++) hooks.addRow([1000 + n, "BookingCreate", `https://x.example.com/${n}`]);
hooks.getRow(1).font = { bold: true };
hooks.getCell("A1").fill = { type: "pattern", pattern: "solid", fgColor: { argb: "FFFFFF00" } };
hooks.getCell("A2").numFmt = '0.00 "EUR"';
hooks.getCell("A1").note = "a note";
hooks.getCell("D2").value = { formula: "A2*2", result: 2002 };
hooks.getCell("C2").value = { text: "the first", hyperlink: "https://x.example.com/1" };
hooks.mergeCells("E1:F2");
hooks.pageSetup.printTitlesRow = "1:1";
hooks.pageSetup.printArea = "A1:C6";
hooks.getCell("D5").dataValidation = { type: "list", formulae: ['"yes,no"'] };
hooks.addConditionalFormatting({
  ref: "A2:A6",
  rules: [{ type: "cellIs", operator: "greaterThan", formulae: [1003], style: { font: { color: { argb: "FFFF0000" } } } }],
});
const picture =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
hooks.addImage(book.addImage({ base64: picture, extension: "png" }), "H2:I5");
const tabled = book.addWorksheet("Tabled");
tabled.addTable({ name: "Hooked", ref: "A1", headerRow: true, columns: [{ name: "One" }], rows: [[1], [2]] });
book.definedNames.add("Hooks!$A$1:$C$6", "Mine");
book.xlsx.writeFile(process.argv[2]);
