// Prints the names and the row counts of the sheets of a workbook as ExcelJS reads it: node read_exceljs.js IN
const ExcelJS = require("exceljs");

const book = new ExcelJS.Workbook();
book.xlsx.readFile(process.argv[2]).then(() => {
  console.log(JSON.stringify(book.worksheets.map((sheet) => [sheet.name, sheet.actualRowCount])));
});
