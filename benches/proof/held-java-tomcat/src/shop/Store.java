package shop;

import com.zaxxer.hikari.HikariDataSource;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

final class Store {
    private static HikariDataSource source;

    static void open(Properties properties) throws Exception {
        source = new HikariDataSource();
        source.setJdbcUrl(properties.getProperty("database.url"));
        source.setMaximumPoolSize(2);
        String name = properties.getProperty("database.schema");
        try (InputStream in = Store.class.getClassLoader().getResourceAsStream(name);
                var connection = source.getConnection();
                var statement = connection.createStatement()) {
            statement.execute(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    static List<Good> all() throws Exception {
        List<Good> goods = new ArrayList<>();
        try (var connection = source.getConnection();
                var rows = connection.createStatement().executeQuery("select * from goods")) {
            while (rows.next()) {
                Good good = new Good();
                good.id = rows.getInt("id");
                good.name = rows.getString("name");
                good.cents = rows.getInt("cents");
                goods.add(good);
            }
        }
        return goods;
    }

    static void add(Good good) throws Exception {
        try (var connection = source.getConnection();
                var insert = connection.prepareStatement("insert into goods (name, cents) values (?, ?)")) {
            insert.setString(1, good.name);
            insert.setInt(2, good.cents);
            insert.execute();
        }
    }
}
