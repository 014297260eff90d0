package shop;

import java.io.File;
import java.io.InputStream;
import java.util.Properties;
import org.apache.catalina.WebResourceRoot;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.webresources.DirResourceSet;
import org.apache.catalina.webresources.StandardRoot;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

public class Main {
    public static void main(String[] arguments) throws Exception {
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install();
        Properties properties = new Properties();
        try (InputStream in = Main.class.getResourceAsStream("/application.properties")) {
            properties.load(in);
        }
        Store.open(properties);

        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir("/tmp/tomcat");
        new File("/tmp/tomcat/webapps").mkdirs();
        tomcat.setPort(Integer.parseInt(properties.getProperty("port")));
        tomcat.getConnector().setProperty("address", "127.0.0.1");
        StandardContext context = (StandardContext) tomcat.addWebapp("", new File("web").getAbsolutePath());
        context.setParentClassLoader(Main.class.getClassLoader());
        context.setDelegate(true);
        WebResourceRoot resources = new StandardRoot(context);
        resources.addPreResources(new DirResourceSet(resources, "/WEB-INF/classes", new File("classes").getAbsolutePath(), "/"));
        context.setResources(resources);
        tomcat.start();
        LoggerFactory.getLogger(Main.class).info("serving on {}", tomcat.getConnector().getLocalPort());
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                tomcat.stop();
            } catch (Exception error) {
                error.printStackTrace();
            }
        }));
        tomcat.getServer().await();
    }
}
