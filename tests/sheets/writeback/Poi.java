import java.io.FileOutputStream;
import org.apache.poi.ss.usermodel.*;
import org.apache.poi.ss.util.CellRangeAddress;
import org.apache.poi.xssf.usermodel.*;

/** Writes a workbook with what exports from Java hold: styles, a name, print titles, a rule, a note, a picture. */
public class Poi {
    public static void main(String[] arguments) throws Exception {
        try (XSSFWorkbook book = new XSSFWorkbook(); FileOutputStream out = new FileOutputStream(arguments[0])) {
            XSSFSheet hooks = book.createSheet("Hooks");
            XSSFCellStyle bold = book.createCellStyle();
            XSSFFont font = book.createFont();
            font.setBold(true);
            bold.setFont(font);
            bold.setFillForegroundColor(IndexedColors.YELLOW.getIndex());
            bold.setFillPattern(FillPatternType.SOLID_FOREGROUND);
            bold.setDataFormat(book.createDataFormat().getFormat("0.00 \"EUR\""));
            String[] header = {"BusinessId", "Action", "URL"};
            Row first = hooks.createRow(0);
            for (int column = 0; column < header.length; column++) {
                first.createCell(column).setCellValue(header[column]);
                first.getCell(column).setCellStyle(bold);
            }
            for (int number = 1; number < 6; number++) {
                Row row = hooks.createRow(number);
                row.createCell(0).setCellValue(1000 + number);
                row.createCell(1).setCellValue("BookingCreate");
                row.createCell(2).setCellValue("https://x.example.com/" + number);
            }
            hooks.getRow(1).createCell(3).setCellFormula("A2*2");
            hooks.addMergedRegion(new CellRangeAddress(0, 1, 4, 5));
            hooks.setRepeatingRows(CellRangeAddress.valueOf("1:1"));
            hooks.setAutoFilter(CellRangeAddress.valueOf("A1:C6"));
            Name name = book.createName();
            name.setNameName("Mine");
            name.setRefersToFormula("Hooks!$A$1:$C$6");
            SheetConditionalFormatting rules = hooks.getSheetConditionalFormatting();
            ConditionalFormattingRule rule = rules.createConditionalFormattingRule(ComparisonOperator.GT, "1003");
            rule.createPatternFormatting().setFillBackgroundColor(IndexedColors.RED.getIndex());
            rules.addConditionalFormatting(new CellRangeAddress[] {CellRangeAddress.valueOf("A2:A6")}, rule);
            XSSFDrawing drawing = hooks.createDrawingPatriarch();
            Comment note = drawing.createCellComment(new XSSFClientAnchor(0, 0, 0, 0, 1, 1, 4, 4));
            note.setString(book.getCreationHelper().createRichTextString("a note"));
            hooks.getRow(0).getCell(0).setCellComment(note);
            byte[] picture = java.util.Base64.getDecoder().decode(
                "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");
            int index = book.addPicture(picture, Workbook.PICTURE_TYPE_PNG);
            drawing.createPicture(new XSSFClientAnchor(0, 0, 0, 0, 7, 1, 9, 4), index);
            book.createSheet("Quiet");
            book.setSheetHidden(1, true);
            book.write(out);
        }
    }
}
